use super::*;

fn names(classes: usize) -> Vec<String> {
    (0..classes).map(|class| class.to_string()).collect()
}

/// All parts of one data set.
fn parts(split: &ClassSplit, fold: usize, names: &[String]) -> Result<Parts, String> {
    split.parts(fold, &[NamedClasses { set: 0, names, groups: &[] }; 3])
}

fn lists(lists: [&[&str]; 3]) -> [Vec<String>; 3] {
    lists.map(|list| list.iter().map(|name| (*name).to_owned()).collect())
}

fn all(split: &ClassSplit, classes: usize) -> Vec<Parts> {
    (0..split.folds()).map(|f| parts(split, f, &names(classes)).expect("fits")).collect()
}

#[test]
fn folds_hold_every_class_out_exactly_once() {
    for folds in [3, 4, 5, 10] {
        let split = ClassSplit::Folds { folds, seed: 1 };
        let mut tested: Vec<usize> = Vec::new();
        for parts in all(&split, 10) {
            tested.extend(&parts.classes[2]);
            let mut every: Vec<usize> = parts.classes.concat();
            every.sort_unstable();
            assert_eq!(every, (0..10).collect::<Vec<_>>(), "each fold uses each class once");
        }
        tested.sort_unstable();
        assert_eq!(tested, (0..10).collect::<Vec<_>>());
    }
}

#[test]
fn a_drawn_split_is_disjoint_and_depends_on_its_seed() {
    let split = |seed| parts(&ClassSplit::Drawn { sizes: [5, 2, 3], seed }, 0, &names(10)).expect("fits");
    assert_eq!(split(0).classes.each_ref().map(Vec::len), [5, 2, 3]);
    let mut every = split(0).classes.concat();
    every.sort_unstable();
    assert_eq!(every, (0..10).collect::<Vec<_>>());
    assert_eq!(split(0), split(0));
    assert_ne!(split(0), split(1));
}

#[test]
fn overlaps_and_misfits_are_named() {
    let refused = |split: &ClassSplit, part: &str| {
        let message = parts(split, 0, &names(10)).expect_err(part);
        assert!(message.contains(part), "{message}");
    };
    let of = |test| ClassSplit::Lists(lists([&["0", "1"], &["2"], &[test]]));
    refused(&of("1"), "class 1 is in train and in test");
    refused(&of("10"), "class 10");
    refused(&ClassSplit::Drawn { sizes: [8, 2, 3], seed: 0 }, "8 + 2 + 3 = 13 classes");
    refused(&ClassSplit::Folds { folds: 2, seed: 0 }, "folds must be 3");
    refused(&ClassSplit::Groups(lists([&["Greek"], &[], &[]])), "have no groups");
}

#[test]
fn groups_hold_their_classes() {
    let [names, groups] = [["alpha", "a", "beta", "b"], ["Greek", "Latin", "Greek", "Latin"]]
        .map(|all| all.map(str::to_owned).to_vec());
    let of = [NamedClasses { set: 0, names: &names, groups: &groups }; 3];
    let split = |split: [&[&str]; 3]| ClassSplit::Groups(lists(split)).parts(0, &of);
    assert_eq!(split([&["Greek"], &[], &["Latin"]]).expect("fits").classes, [vec![0, 2], vec![], vec![1, 3]]);
    let overlap = split([&["Greek"], &["Greek"], &["Latin"]]).expect_err("overlap");
    assert!(overlap.contains("class alpha is in train and in validation"), "{overlap}");
    let unknown = split([&["Greek"], &[], &["Runes"]]).expect_err("unknown");
    assert!(unknown.contains("group Runes") && unknown.contains("Greek, Latin"), "{unknown}");
}

/// Train and validation of ten classes, test of four others.
#[test]
fn parts_of_other_data_sets_do_not_overlap() {
    let (ten, four) = (names(10), names(4));
    let train = NamedClasses { set: 0, names: &ten, groups: &[] };
    let of = [train, train, NamedClasses { set: 1, names: &four, groups: &[] }];
    let same = ClassSplit::Lists(lists([&["0", "1"], &["2"], &["1", "3"]])).parts(0, &of).expect("fits");
    assert_eq!(same.classes, [vec![0, 1], vec![2], vec![1, 3]]);
    let drawn = |sizes| ClassSplit::Drawn { sizes, seed: 0 }.parts(0, &of);
    assert_eq!(drawn([6, 4, 4]).expect("fits").classes.map(|part| part.len()), [6, 4, 4]);
    assert!(drawn([7, 4, 4]).expect_err("too many").contains("7 + 4 = 11 classes"));
    assert!(drawn([6, 4, 5]).expect_err("too many").contains("split asks for 5 classes"));
    let folds = ClassSplit::Folds { folds: 3, seed: 0 }.parts(0, &of).expect_err("several");
    assert!(folds.contains("one data set"), "{folds}");
}

#[test]
fn shared_classes_have_images_of_their_own_in_each_part() {
    let data = Dataset {
        name: "toy".into(),
        height: 1,
        width: 1,
        pixels: Default::default(),
        labels: (0..28).map(|i| i % 2).collect(),
        classes: vec!["a".into(), "b".into()],
        groups: Vec::new(),
        training: 24,
    };
    let parts = parts(&ClassSplit::Shared, 0, &names(2)).expect("fits");
    let images = |part| parts.images(part, &data).concat();
    assert_eq!(images(Part::Train).len(), 20);
    assert_eq!(images(Part::Validation), [20, 22, 21, 23]);
    assert_eq!(images(Part::Test), [24, 26, 25, 27]);
}
