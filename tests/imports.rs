//! The files of the crate import each other in one direction: no file leads back to itself, and a module imports only what stands above
//! it in `lib.rs`.
//!
//! A `mod.rs` may name its own children, which use the traits it declares: registries are like that. Tests are free.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// A file as the path of its module: `["figures", "chart"]`.
type Module = Vec<String>;

/// What each file imports.
type Imports = BTreeMap<Module, BTreeSet<Module>>;

/// A file of the crate.
struct File {
    module: Module,
    /// Without comments and tests.
    code: String,
    /// Whether it is a `mod.rs`, or `lib.rs`.
    has_children: bool,
}

/// The files of the crate that are built into it; `main.rs` only calls it.
fn files() -> Vec<File> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut files, mut tests) = (Vec::new(), Vec::new());
    let mut folders = vec![source.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.extension().is_none_or(|ending| ending != "rs") {
                continue;
            }
            let name = path.strip_prefix(&source).expect("below").with_extension("");
            let mut module: Module = name.iter().map(|part| part.to_string_lossy().into_owned()).collect();
            let last = module.last().expect("a name").clone();
            let has_children = ["mod", "lib"].contains(&last.as_str());
            if has_children {
                module.pop();
            }
            let text = fs::read_to_string(&path).expect("text");
            tests.extend(test_files(&text).map(|name| [module.as_slice(), &[name]].concat()));
            if module != ["main"] {
                files.push(File { module, code: code(&text), has_children });
            }
        }
    }
    files.retain(|file| !tests.iter().any(|test| file.module.starts_with(test)));
    files
}

/// The files that are there for tests only: `#[cfg(test)] mod name;`.
fn test_files(text: &str) -> impl Iterator<Item = String> {
    let after = text.split("#[cfg(test)]\nmod ").skip(1);
    after.filter_map(|after| after.lines().next()?.strip_suffix(';')).map(str::to_owned)
}

/// What is left of a file without comments and without its tests, which stand last.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The paths from `crate` or `super` in a text, those in braces each for itself.
fn paths(code: &str) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    for root in ["crate::", "super::"] {
        for (at, _) in code.match_indices(root) {
            let before = code[..at].chars().next_back();
            if !before.is_some_and(|c| c.is_alphanumeric() || "_:$".contains(c)) {
                follow(&code[at..], Vec::new(), &mut paths);
            }
        }
    }
    paths
}

/// Adds the paths that begin with `prefix` and go on with a text; gives what comes after them.
fn follow<'a>(text: &'a str, mut prefix: Vec<String>, paths: &mut Vec<Vec<String>>) -> &'a str {
    let mut rest = text;
    loop {
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        prefix.push(rest[..end].to_owned());
        match rest[end..].strip_prefix("::") {
            Some(more) if more.starts_with('{') => {
                rest = more[1..].trim_start();
                while !rest.is_empty() && !rest.starts_with('}') {
                    rest = follow(rest, prefix.clone(), paths);
                    rest = rest.trim_start_matches(|c: char| c != ',' && c != '}'); // `as name`
                    rest = rest.trim_start_matches(|c: char| c == ',' || c.is_whitespace());
                }
                return rest.strip_prefix('}').unwrap_or(rest);
            }
            Some(more) => rest = more,
            None => {
                paths.push(prefix);
                return &rest[end..];
            }
        }
    }
}

/// The file in which a path ends that stands in `from`.
fn resolve(from: &Module, path: &[String], files: &BTreeSet<&Module>) -> Module {
    let ups = path.iter().take_while(|part| *part == "super").count();
    let (mut module, rest) = match ups {
        0 => (Module::new(), &path[1..]),
        ups => (from[..from.len().saturating_sub(ups)].to_vec(), &path[ups..]),
    };
    for part in rest {
        module.push(part.clone());
        if !files.contains(&module) {
            module.pop();
            break;
        }
    }
    module
}

fn imports(files: &[File]) -> Imports {
    let names: BTreeSet<&Module> = files.iter().map(|file| &file.module).collect();
    let mut imports = Imports::new();
    for file in files {
        let from = &file.module;
        let targets = paths(&file.code).into_iter().map(|path| resolve(from, &path, &names));
        let is_child = |to: &Module| file.has_children && to.split_last().is_some_and(|(_, of)| of == from);
        let targets = targets.filter(|to| to != from && !to.is_empty() && !is_child(to)).collect();
        imports.insert(from.clone(), targets);
    }
    imports
}

/// A circle of imports, if there is one.
fn circle(imports: &Imports) -> Option<Vec<Module>> {
    fn visit(at: &Module, imports: &Imports, way: &mut Vec<Module>, done: &mut BTreeSet<Module>) -> bool {
        if let Some(start) = way.iter().position(|earlier| earlier == at) {
            way.drain(..start);
            return true;
        }
        if !done.contains(at) {
            way.push(at.clone());
            if imports.get(at).into_iter().flatten().any(|next| visit(next, imports, way, done)) {
                return true;
            }
            way.pop();
            done.insert(at.clone());
        }
        false
    }
    let (mut way, mut done) = (Vec::new(), BTreeSet::new());
    imports.keys().any(|start| visit(start, imports, &mut way, &mut done)).then_some(way)
}

fn name(module: &[String]) -> String {
    module.join("::")
}

#[test]
fn no_file_imports_itself_through_others() {
    let imports = imports(&files());
    assert!(imports.values().map(BTreeSet::len).sum::<usize>() > 300, "hardly an import was found");
    if let Some(circle) = circle(&imports) {
        let names: Vec<String> = circle.iter().map(|module| name(module)).collect();
        panic!(
            "{} -> {}: a circle of imports; move what two of them need to a file that imports neither",
            names.join(" -> "),
            names[0]
        );
    }
}

#[test]
fn modules_stand_in_the_order_of_their_imports() {
    let root = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).expect("text");
    let declared = |line: &str| Some(line.strip_prefix("pub mod ")?.strip_suffix(';')?.to_owned());
    let order: Vec<String> = root.lines().filter_map(declared).collect();
    let place = |module: &Module| {
        let place = order.iter().position(|name| *name == module[0]);
        place.unwrap_or_else(|| panic!("{} is not in lib.rs", module[0]))
    };
    for (from, targets) in imports(&files()).iter().filter(|(from, _)| !from.is_empty()) {
        for to in targets {
            assert!(
                place(to) <= place(from),
                "{} imports {}, so {} must stand above {} in lib.rs",
                name(from),
                name(to),
                to[0],
                from[0]
            );
        }
    }
}

#[test]
fn imports_are_read_as_the_compiler_reads_them() {
    let text =
        "use super::{a, b::{C, D as E}, f};\nfn g() -> crate::h::I { $crate::no(); super::super::j() }\n";
    let read: BTreeSet<String> = paths(&code(text)).iter().map(|path| name(path)).collect();
    let expected = ["super::a", "super::b::C", "super::b::D", "super::f", "crate::h::I", "super::super::j"];
    assert_eq!(read, expected.map(str::to_owned).into());
    let module = |name: &str| name.split("::").map(str::to_owned).collect::<Module>();
    let imports = Imports::from([
        (module("a"), [module("b::c")].into()),
        (module("b::c"), [module("d"), module("e")].into()),
        (module("d"), [module("e")].into()),
        (module("e"), [module("b::c")].into()),
    ]);
    assert_eq!(circle(&imports), Some([module("b::c"), module("d"), module("e")].to_vec()));
}
