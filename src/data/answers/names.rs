//! Names that files repeat many times: each is kept once, and has a number.

use indexmap::IndexSet;

/// So many different names there may be, of students, of problems and of skills.
const MOST: usize = 4_000_000;
/// Bytes of the longest name.
const LONGEST: usize = 10_000;

/// Different names, numbered as they appear.
#[derive(Debug)]
pub struct Names {
    kind: &'static str,
    most: usize,
    names: IndexSet<Box<str>>,
}

impl Names {
    /// None as yet; `kind` says of what.
    pub fn of(kind: &'static str) -> Self {
        Self { kind, most: MOST, names: IndexSet::new() }
    }

    /// The number of a name, which may be new.
    ///
    /// # Errors
    /// There are too many, or it is too long.
    pub fn number(&mut self, name: &str) -> Result<u32, String> {
        if let Some(number) = self.names.get_index_of(name) {
            return Ok(number as u32);
        }
        if name.len() > LONGEST {
            let start: String = name.chars().take(40).collect();
            return Err(format!("a name of {} bytes ({start}...): at most {LONGEST} are read", name.len()));
        }
        if self.names.len() >= self.most {
            return Err(format!("more than {} {}: divide the file", self.most, self.kind));
        }
        Ok(self.names.insert_full(name.into()).0 as u32)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// One of them.
    pub fn name(&self, number: u32) -> &str {
        self.names.get_index(number as usize).map_or("", |name| name)
    }

    /// The place of each number when the names are in the order of their bytes.
    pub fn places(&self) -> Vec<u32> {
        let mut numbers: Vec<u32> = (0..self.names.len() as u32).collect();
        numbers.sort_unstable_by_key(|&number| self.name(number));
        let mut places = vec![0; numbers.len()];
        for (place, &number) in (0..).zip(&numbers) {
            places[number as usize] = place;
        }
        places
    }

    /// The names in the order of their bytes.
    pub fn sorted(self) -> Vec<String> {
        let mut names: Vec<String> = self.names.into_iter().map(String::from).collect();
        names.sort_unstable();
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_numbers_and_places() {
        let mut names = Names::of("skills");
        let numbers: Vec<u32> =
            ["b", "10", "b", "9"].iter().map(|name| names.number(name).unwrap()).collect();
        assert_eq!(numbers, [0, 1, 0, 2]);
        assert_eq!((names.len(), names.name(1)), (3, "10"));
        assert_eq!(names.places(), [2, 0, 1]);
        assert_eq!(names.sorted(), ["10", "9", "b"]);
    }

    #[test]
    fn too_many_and_too_long_names_are_refused() {
        let mut names = Names { most: 2, ..Names::of("students") };
        names.number("a").unwrap();
        names.number("b").unwrap();
        names.number("a").unwrap();
        assert!(names.number("c").unwrap_err().contains("more than 2 students"));
        assert!(names.number(&"x".repeat(10_001)).unwrap_err().contains("10001 bytes"));
    }
}
