//! Which of a student's answers are seen, and which are asked.

use std::{borrow::Cow, fmt};

use garde::Validate;
use rand::Rng;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, value::MapAccessDeserializer},
    ser::SerializeMap,
};

use crate::random::Stream;

/// Which of a student's answers may be seen first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Support {
    /// Any: where the order of answers means nothing.
    #[default]
    Random,
    /// The first ones: where it is time.
    First,
}

/// Which answers are asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Queries {
    /// All that are not seen.
    #[default]
    Rest,
    /// A random fifth of a student's answers, which are never seen.
    Fifth,
    /// So many that come next.
    Next(usize),
}

/// The most answers that can be asked.
const MOST: usize = 10_000;

/// Whose protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Published {
    /// Ghosh & Lan 2021 (https://arxiv.org/abs/2108.07386): a random fifth of each student's answers is asked.
    Bobcat,
}

/// The places of a student's answers, in the order in which they are seen, and what is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// Those that can be seen, the first first.
    pub seen: Vec<usize>,
    /// Whether each is asked.
    pub asked: Vec<bool>,
}

/// How many of so many answers are asked where a fifth is.
fn fifth(answers: usize) -> usize {
    answers.div_ceil(5)
}

impl Queries {
    /// The least number of answers of a student of whom so many are seen.
    pub fn least(self, shots: usize) -> usize {
        match self {
            Self::Rest | Self::Next(_) => shots + 1,
            Self::Fifth => {
                (shots + 1..).find(|answers| answers - fifth(*answers) >= shots).unwrap_or(usize::MAX)
            }
        }
    }

    /// The most shots of a student with so many answers.
    pub fn most_shots(self, answers: usize) -> usize {
        match self {
            Self::Rest | Self::Next(_) => answers.saturating_sub(1),
            Self::Fifth => answers - fifth(answers),
        }
    }

    /// The places of a student's `answers`, of which `shots` are seen.
    pub fn places(self, support: Support, answers: usize, shots: usize, stream: &mut Stream) -> Places {
        let mut order: Vec<usize> = (0..answers).collect();
        if support == Support::Random || self == Self::Fifth {
            let keys: Vec<u64> = order.iter().map(|_| stream.next_u64()).collect();
            order.sort_by_key(|place| (keys[*place], *place));
        }
        let mut asked = vec![false; answers];
        let set_apart = if self == Self::Fifth { fifth(answers) } else { 0 };
        let mut later = order.split_off(set_apart);
        if support == Support::First {
            later.sort_unstable();
        }
        match self {
            Self::Fifth => order.iter().for_each(|place| asked[*place] = true),
            Self::Rest => later.iter().skip(shots).for_each(|place| asked[*place] = true),
            Self::Next(count) => later.iter().skip(shots).take(count).for_each(|place| asked[*place] = true),
        }
        Places { seen: later.into_iter().take(shots).collect(), asked }
    }
}

impl Validate for Queries {
    type Context = ();

    fn validate_into(&self, _: &(), parent: &mut dyn FnMut() -> garde::Path, report: &mut garde::Report) {
        if let Self::Next(count) = self
            && !(1..=MOST).contains(count)
        {
            report.append(parent().join("next"), garde::Error::new(format!("must be 1 to {MOST} answers")));
        }
    }
}

impl Serialize for Queries {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Rest => serializer.serialize_str("rest"),
            Self::Fifth => serializer.serialize_str("fifth"),
            Self::Next(count) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("next", count)?;
                map.end()
            }
        }
    }
}

impl JsonSchema for Queries {
    fn schema_name() -> Cow<'static, str> {
        "AskedAnswers".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"oneOf": [
            {"description": "All that are not seen.", "const": "rest"},
            {"description": "A random fifth of a student's answers, which are never seen.", "const": "fifth"},
            {
                "description": "So many that come next.",
                "type": "object",
                "properties": {"next": {"description": "The number.", "type": "integer", "minimum": 1, "maximum": MOST}},
                "required": ["next"],
                "additionalProperties": false,
            },
        ]})
    }
}

impl<'de> Deserialize<'de> for Queries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Queries;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("rest, fifth, or {next: 10}")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<Queries, E> {
                match word {
                    "rest" => Ok(Queries::Rest),
                    "fifth" => Ok(Queries::Fifth),
                    _ => Err(E::unknown_variant(word, &["rest", "fifth"])),
                }
            }

            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Queries, M::Error> {
                #[derive(Deserialize)]
                #[serde(deny_unknown_fields)]
                struct Keys {
                    next: usize,
                }
                let Keys { next } = Keys::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Queries::Next(next))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, stream};

    fn places(queries: Queries, support: Support, shots: usize, index: u64) -> Places {
        queries.places(support, 12, shots, &mut stream(0, Purpose::Test, index))
    }

    #[test]
    fn fewer_seen_answers_are_the_first_of_more() {
        for queries in [Queries::Rest, Queries::Fifth, Queries::Next(3)] {
            for support in [Support::Random, Support::First] {
                let [few, many] = [2, 7].map(|shots| places(queries, support, shots, 5));
                assert_eq!(few.seen, many.seen[..2], "{queries:?} {support:?}");
                let apart = |places: &Places| places.seen.iter().all(|place| !places.asked[*place]);
                assert!(apart(&few) && apart(&many), "what is seen is not asked");
            }
        }
    }

    #[test]
    fn so_many_are_asked() {
        let asked = |queries, support| {
            let places = places(queries, support, 5, 1);
            (0..12).filter(|place| places.asked[*place]).collect::<Vec<_>>()
        };
        assert_eq!(asked(Queries::Rest, Support::First), [5, 6, 7, 8, 9, 10, 11]);
        assert_eq!(asked(Queries::Next(3), Support::First), [5, 6, 7]);
        assert_eq!(asked(Queries::Rest, Support::Random).len(), 7);
        assert_eq!(asked(Queries::Fifth, Support::Random).len(), 3, "a fifth of twelve, rounded up");
        let of = |shots| places(Queries::Fifth, Support::Random, shots, 1).asked;
        assert_eq!(of(1), of(9), "the same fifth with any number of shots");
        assert_ne!(
            places(Queries::Rest, Support::Random, 5, 1),
            places(Queries::Rest, Support::Random, 5, 2)
        );
    }

    #[test]
    fn a_student_needs_so_many_answers() {
        assert_eq!([Queries::Rest.least(5), Queries::Next(3).least(5), Queries::Fifth.least(5)], [6, 6, 7]);
        for answers in 1..50 {
            for queries in [Queries::Rest, Queries::Fifth] {
                let most = queries.most_shots(answers);
                assert!(queries.least(most) <= answers && queries.least(most + 1) > answers, "{answers}");
            }
        }
    }

    #[test]
    fn queries_are_a_word_or_a_number() {
        for (yaml, expected) in
            [("rest", Queries::Rest), ("fifth", Queries::Fifth), ("{next: 3}", Queries::Next(3))]
        {
            let queries: Queries = serde_saphyr::from_str(yaml).expect(yaml);
            assert_eq!(queries, expected);
            let text = serde_saphyr::to_string(&queries).expect("YAML");
            assert_eq!(serde_saphyr::from_str::<Queries>(&text).expect("as written"), expected);
        }
        let error = serde_saphyr::from_str::<Queries>("most").expect_err("no such word").to_string();
        assert!(error.contains("rest") && error.contains("fifth"), "{error}");
    }
}
