//! What a tutor is asked, one JSON object or one line of CSV a line.

use serde::{Deserialize, Deserializer, de::Error as _};

/// The most bytes of a student's name.
const LONGEST_NAME: usize = 1000;

/// A request.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Request {
    /// A student has answered.
    Answer(GivenAnswer),
    /// How she would answer now.
    Predict(About),
    /// What to ask her.
    Next(Who),
    /// What is known of her skills.
    State(Who),
    /// All that she answered is to be erased.
    Forget(Who),
}

/// An answer.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenAnswer {
    /// The student's name.
    pub student: String,
    /// The item's name.
    pub item: String,
    /// Whether it was right.
    #[serde(deserialize_with = "correct")]
    pub correct: bool,
}

/// A student and items.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// The student's name.
    pub student: String,
    /// Names of items; all without.
    pub items: Option<Vec<String>>,
}

/// A student.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Who {
    /// Her name.
    pub student: String,
}

fn correct<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Correct {
        Word(bool),
        Number(f64),
        Other(serde_json::Value),
    }
    match Correct::deserialize(deserializer)? {
        Correct::Word(correct) => Ok(correct),
        Correct::Number(0.0) => Ok(false),
        Correct::Number(1.0) => Ok(true),
        Correct::Number(other) => Err(D::Error::custom(format!("correct must be 0 or 1, not {other}"))),
        Correct::Other(other) => Err(D::Error::custom(format!("correct must be 0 or 1, not {other}"))),
    }
}

impl Request {
    /// The request of a line; none of an empty one, and of the first line of a CSV file, which names columns.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(line: &str) -> Result<Option<Self>, String> {
        let line = line.trim();
        if line.is_empty() {
            return Ok(None);
        }
        let request = if line.starts_with('{') { Self::of_json(line)? } else { Self::of_csv(line)? };
        let Some(request) = request else { return Ok(None) };
        match request.student().len() {
            0 => Err("the student's name is empty".into()),
            length if length > LONGEST_NAME => {
                Err(format!("the student's name has {length} bytes, and at most {LONGEST_NAME} are kept"))
            }
            _ => Ok(Some(request)),
        }
    }

    fn student(&self) -> &str {
        match self {
            Self::Answer(answer) => &answer.student,
            Self::Predict(about) => &about.student,
            Self::Next(who) | Self::State(who) | Self::Forget(who) => &who.student,
        }
    }

    fn of_json(line: &str) -> Result<Option<Self>, String> {
        const LIKE: &str = r#"expected for example {"answer": {"student": "Ada", "item": "f1", "correct": 1}}, {"predict": {"student": "Ada"}}, or next, state, forget"#;
        match serde_json::from_str(line) {
            Ok(request) => Ok(Some(request)),
            Err(error) if error.is_data() => {
                let error = error.to_string();
                let what = error.split(" at line ").next().unwrap_or_default();
                Err(format!("{what}; {LIKE}"))
            }
            Err(_) => Err(format!("this is no JSON; {LIKE}")),
        }
    }

    fn of_csv(line: &str) -> Result<Option<Self>, String> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(line.as_bytes());
        let cells = reader.records().next().and_then(Result::ok).unwrap_or_default();
        let cells: Vec<&str> = cells.iter().map(str::trim).collect();
        let [student, item, correct] = cells[..] else {
            return Err(format!(
                "expected student,item,correct, or a request in JSON, not {} cells",
                cells.len()
            ));
        };
        let correct = match correct.to_lowercase().as_str() {
            "1" | "true" => true,
            "0" | "false" => false,
            "correct" => return Ok(None),
            other => return Err(format!("correct must be 0 or 1, not {other:?}")),
        };
        Ok(Some(Self::Answer(GivenAnswer { student: student.into(), item: item.into(), correct })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_csv_say_the_same() {
        let answer = |student: &str, item: &str, correct| {
            Ok(Some(Request::Answer(GivenAnswer { student: student.into(), item: item.into(), correct })))
        };
        let json =
            |correct| format!(r#"{{"answer": {{"student": "Ada", "item": "f,1", "correct": {correct}}}}}"#);
        assert_eq!(Request::read(&json("1")), answer("Ada", "f,1", true));
        assert_eq!(Request::read(&json("false")), answer("Ada", "f,1", false));
        assert_eq!(Request::read("Ada,\"f,1\",1\r"), answer("Ada", "f,1", true));
        assert_eq!(Request::read("\"A \"\"b\"\"\",x,0"), answer("A \"b\"", "x", false));
        assert_eq!(Request::read("student,item,correct"), Ok(None));
        assert_eq!(Request::read("  "), Ok(None));
        let next = Request::read(r#"{"next": {"student": "Ada"}}"#);
        assert_eq!(next, Ok(Some(Request::Next(Who { student: "Ada".into() }))));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let long = format!("{},f1,1", "a".repeat(1001));
        for (line, said) in [
            (r#"{"answer": {"student": "Ada", "item": "f1", "correct": 2}}"#, "0 or 1, not 2"),
            (r#"{"answer": {"student": "Ada", "item": "f1", "correct": "yes"}}"#, "0 or 1, not \"yes\""),
            (r#"{"answer": {"student": "Ada", "correct": 1}}"#, "missing field `item`"),
            (r#"{"ask": {"student": "Ada"}}"#, "unknown variant `ask`"),
            (r#"{"next": {"student": "Ada", "why": 1}}"#, "unknown field `why`"),
            (r#"{"next": {"student": ""}}"#, "name is empty"),
            (r#"{"next": "#, "no JSON"),
            ("Ada,f1", "not 2 cells"),
            ("Ada,f1,2", "0 or 1, not \"2\""),
            (long.as_str(), "1001 bytes"),
        ] {
            let error = Request::read(line).expect_err(line);
            assert!(error.contains(said), "{line}: {error}");
        }
    }
}
