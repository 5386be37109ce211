//! What varies in a sweep, with names that are shorter than paths.

use super::space::{Assigned, Space};

/// The keys that vary in a sweep, in the order of its space.
pub struct Names(Vec<(String, String)>);

impl Names {
    /// Of a space.
    pub fn of(space: &Space) -> Self {
        let mut paths: Vec<&str> = Vec::new();
        for parameter in space.parameters() {
            if !paths.contains(&parameter.path) {
                paths.push(parameter.path); // a key may vary under several options
            }
        }
        Self(paths.iter().map(|path| ((*path).to_owned(), short(path, &paths).to_owned())).collect())
    }

    /// Each key's path and its name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(path, name)| (path.as_str(), name.as_str()))
    }

    /// A trial's values in a line: `lr = 0.1  steps = 5`.
    pub fn describe(&self, values: &[Assigned]) -> String {
        let name =
            |path: &str| self.iter().find(|known| known.0 == path).map_or(path.to_owned(), |k| k.1.into());
        let values = values.iter().map(|value| format!("{} = {}", name(&value.path), value.text()));
        values.collect::<Vec<_>>().join("  ")
    }
}

/// The shortest end of a path that no other path has too: `lr` for `methods.maml.maml.inner.sgd.lr`.
fn short<'a>(path: &'a str, paths: &[&str]) -> &'a str {
    let alone = |end: &str| paths.iter().filter(|path| ends(path, end)).count() < 2;
    let starts = path.rmatch_indices('.').map(|(dot, _)| dot + 1);
    let mut endings = starts.map(|start| &path[start..]);
    endings.find(|end| alone(end)).unwrap_or(path)
}

/// Whether `end` is the last keys of `path`.
fn ends(path: &str, end: &str) -> bool {
    path.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_much_of_a_path_as_tells_it_from_the_others() {
        let names = |paths: &[&'static str]| paths.iter().map(|path| short(path, paths)).collect::<Vec<_>>();
        assert_eq!(names(&["a.maml.sgd.lr", "a.maml.sgd.steps"]), ["lr", "steps"]);
        let three = ["a.maml.lr", "a.reptile.lr", "a.outer_lr"];
        assert_eq!(names(&three), ["maml.lr", "reptile.lr", "outer_lr"]);
        assert_eq!(names(&["lr", "a.lr"]), ["lr", "a.lr"]);
        assert_eq!(names(&["task.ways"]), ["ways"]);
    }
}
