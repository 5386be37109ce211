use super::*;
use crate::tasks::students::{inputs::InputsSpec, protocol::Published};

/// Twelve students with 4 to 15 answers, each to problems 0, 1, 2, ... of which she has the first half right.
fn source(settings: &Students, part: Part, shots: usize) -> StudentSource {
    let (mut answers, mut row) = (Answers::default(), 0);
    answers.problems = (0..15).map(|problem| problem.to_string()).collect();
    answers.skills_of = vec![Vec::new(); 15];
    answers.starts.push(0);
    for student in 0..12u32 {
        let length = 4 + student;
        answers.students.push(format!("student {student}"));
        answers.problem.extend(0..length);
        answers.correct.extend((0..length).map(|problem| 2 * problem < length));
        row += length as usize;
        answers.starts.push(row);
    }
    let columns: Vec<Option<usize>> = (0..15).map(Some).collect();
    let inputs = Inputs::new(InputsSpec::default(), &answers, &columns, &[[1, 1]; 15], 1);
    let students = (0..12).filter(|student| 4 + student > shots as u32).collect();
    StudentSource::new(settings, &Arc::new(answers), &Arc::new(inputs), students, part, shots, 0, Device::Cpu)
}

fn numbers(tensor: &Tensor) -> Vec<f32> {
    Vec::try_from(tensor.contiguous().flatten(0, -1)).expect("numbers")
}

#[test]
fn every_answer_is_seen_or_asked_or_padding() {
    let settings = Students::default();
    let source = source(&settings, Part::Test, 3);
    let episode = source.sample_with(0, 0..12, 3);
    assert_eq!((episode.tasks(), episode.support, episode.queries()), (12, 3, 15));
    for task in 0..12 {
        let of = |t: &Tensor| numbers(&t.get(task));
        let weight = of(episode.weight.as_ref().expect("unequal lengths"));
        let (y, x) = (of(&episode.y), episode.x.get(task));
        let Asked { student, places } = source.asked(0, task as usize, 3);
        let length = 4 + student as usize;
        assert_eq!(weight[..3], [1.0; 3]);
        assert_eq!(weight[3..].iter().sum::<f32>() as usize, length - 3, "the rest is asked");
        assert!(weight[3 + length..].iter().all(|weight| *weight == 0.0), "and no padding");
        for (row, place) in places.seen.iter().enumerate() {
            assert_eq!(weight[3 + place], 0.0, "what is seen is not asked");
            assert_eq!(y[row], f32::from(u8::from(2 * place < length)));
            assert_eq!(
                x.get(row as i64).argmax(0, false).int64_value(&[]),
                *place as i64,
                "a row says its item"
            );
        }
    }
}

#[test]
fn a_student_is_tested_with_other_answers_in_each_draw() {
    let settings = Students { draws: 3, protocol: Some(Published::Bobcat), ..Students::default() };
    let source = source(&settings, Part::Test, 2);
    for student in 0..4 {
        let draws: Vec<Asked> = (0..3).map(|draw| source.asked(0, 3 * student + draw, 2)).collect();
        assert!(draws.iter().all(|asked| asked.student == draws[0].student));
        assert!(draws.iter().any(|asked| asked.places != draws[0].places));
    }
    let few = source.asked(0, 5, 1).places;
    let many = source.asked(0, 5, 2).places;
    assert_eq!(
        (few.seen, few.asked),
        (many.seen[..1].to_vec(), many.asked),
        "the same fifth, the first of the same seen"
    );
}

/// Uniformly half the time, so that of 1 to 10 every number comes; by equal ratios else, so that 1 comes most often.
#[test]
fn in_training_few_answers_are_seen_often() {
    let settings =
        Students { training: super::super::Training { shots: Some([1, 10]) }, ..Students::default() };
    let source = source(&settings, Part::Train, 10);
    let mut times = [0; 11];
    for task in 0..4000 {
        times[source.asked(7, task, 10).places.seen.len()] += 1;
    }
    assert!(times[0] == 0 && times[1..].iter().all(|times| *times > 30), "{times:?}");
    assert!(times[1] > times[2] && times[1] > 2 * times[9] && times[1] > times[5], "{times:?}");
}

#[test]
fn every_training_student_comes_once_with_all_answers() {
    let settings = Students::default();
    let weights: f32 = source(&settings, Part::Train, 3)
        .every()
        .map(|episode| numbers(&episode.weight.expect("weights")).iter().sum::<f32>())
        .sum();
    assert_eq!(weights as u32, (0..12).map(|student| 4 + student).sum::<u32>());
}

#[test]
fn who_is_asked_about_everything_sees_so_many_answers() {
    let settings = Students::default();
    let source = source(&settings, Part::Test, 3);
    let asked = [source.first(0, 0), source.first(0, 1)];
    let episode = source.about(&asked, 0);
    assert_eq!((episode.support, episode.queries()), (1, 15));
    let weight = episode.weight.expect("weights");
    assert_eq!(numbers(&weight.narrow(1, 0, 1)), [0.0, 0.0], "nothing is seen");
    assert_eq!(numbers(&weight).iter().sum::<f32>(), 30.0, "every problem is asked of both");
}
