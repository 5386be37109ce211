//! Published values, as the experiment file has them: what others measured, to stand beside what is measured here.
//!
//! They change nothing that is computed, and so do not make an experiment another one.

use std::{borrow::Cow, collections::BTreeMap, fmt, sync::LazyLock};

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{
        self, MapAccess, SeqAccess,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
    ser::SerializeMap,
};

use crate::measures;

/// Published values of one method: `{mse: {1: [0.67], 5: [0.38, 0.05]}, source: "who, where"}`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expected {
    /// By measure.
    measures: IndexMap<&'static str, Numbered<Entry>>,
    /// Where they were published.
    pub source: Option<String>,
    /// Whether they were.
    pub mark: Mark,
}

/// Whether a value is known to have been published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// It is.
    #[default]
    Confirmed,
    /// It is said to be; shown as unconfirmed, never as published.
    Unconfirmed,
}

/// A mean, and the half-width of the interval that came with it; shares are in per cent, as papers and tables have them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<f64>", into = "Vec<f64>")]
pub struct PublishedValue {
    /// The mean.
    pub mean: f64,
    /// The half-width, whatever it means there.
    pub half_width: Option<f64>,
}

/// A published value with what it is of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExpectedAt {
    /// The measure's name.
    pub measure: &'static str,
    /// The number of shots, if it is said.
    pub shots: Option<usize>,
    /// The number of adaptation steps.
    pub step: usize,
    /// The value.
    pub value: PublishedValue,
}

/// By numbers of steps, or of shots.
type Numbered<V> = BTreeMap<usize, V>;

/// What stands at a number: a value after so many steps, or, with so many shots, values after numbers of steps.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
enum Entry {
    Value(PublishedValue),
    BySteps(Numbered<PublishedValue>),
}

impl Expected {
    /// All values.
    pub fn places(&self) -> impl Iterator<Item = ExpectedAt> {
        self.measures.iter().flat_map(|(measure, entries)| {
            let place = |shots, step, value| ExpectedAt { measure, shots, step, value };
            entries.iter().flat_map(move |(number, entry)| match entry {
                Entry::Value(value) => vec![place(None, *number, *value)],
                Entry::BySteps(values) => {
                    values.iter().map(|(step, value)| place(Some(*number), *step, *value)).collect()
                }
            })
        })
    }
}

impl TryFrom<Vec<f64>> for PublishedValue {
    type Error = String;

    fn try_from(numbers: Vec<f64>) -> Result<Self, String> {
        match numbers[..] {
            [mean] => Ok(Self { mean, half_width: None }),
            [mean, half_width] => Ok(Self { mean, half_width: Some(half_width) }),
            _ => Err(format!("{VALUE} are expected, not {} numbers", numbers.len())),
        }
    }
}

impl From<PublishedValue> for Vec<f64> {
    fn from(value: PublishedValue) -> Self {
        [Some(value.mean), value.half_width].into_iter().flatten().collect()
    }
}

const VALUE: &str = "[value] or [value, half-width]";

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Entry;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                write!(f, "{VALUE}, or by numbers of shots {{steps: [value]}}")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, values: A) -> Result<Entry, A::Error> {
                Deserialize::deserialize(SeqAccessDeserializer::new(values)).map(Entry::Value)
            }

            fn visit_map<A: MapAccess<'de>>(self, values: A) -> Result<Entry, A::Error> {
                Deserialize::deserialize(MapAccessDeserializer::new(values)).map(Entry::BySteps)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// What stands beside the measures.
const SOURCE: &str = "source";
const MARK: &str = "mark";
/// What may stand below a method.
static KEYS: LazyLock<Vec<&str>> = LazyLock::new(|| measures::names().chain([SOURCE, MARK]).collect());

// By hand, because measures stand beside `source` and `mark`, and are known by their registry.
impl Serialize for Expected {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.measures.iter().try_for_each(|(measure, values)| map.serialize_entry(measure, values))?;
        if let Some(source) = &self.source {
            map.serialize_entry(SOURCE, source)?;
        }
        if self.mark != Mark::default() {
            map.serialize_entry(MARK, &self.mark)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Expected {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Expected;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("measures with published values, for example {mse: {1: [0.67]}}")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Expected, M::Error> {
                let mut expected = Expected::default();
                while let Some(key) = map.next_key()? {
                    match key {
                        Key::Source => expected.source = Some(map.next_value()?),
                        Key::Mark => expected.mark = map.next_value()?,
                        Key::Measure(name) => {
                            expected.measures.insert(name, map.next_value()?);
                        }
                    }
                }
                Ok(expected)
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

/// A key of [`Expected`]; unknown ones are refused where they stand, so that the error points at them.
enum Key {
    Source,
    Mark,
    Measure(&'static str),
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a measure, source or mark")
            }

            fn visit_str<E: de::Error>(self, key: &str) -> Result<Key, E> {
                match (key, measures::find(key)) {
                    (SOURCE, _) => Ok(Key::Source),
                    (MARK, _) => Ok(Key::Mark),
                    (_, Some(measure)) => Ok(Key::Measure(measure.name())),
                    (_, None) => Err(E::unknown_field(key, &KEYS)),
                }
            }
        }
        deserializer.deserialize_identifier(Visitor)
    }
}

impl JsonSchema for PublishedValue {
    fn schema_name() -> Cow<'static, str> {
        "PublishedValue".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A mean, then the half-width of its interval, if there is one; shares are in per cent.",
            "type": "array", "items": {"type": "number"}, "minItems": 1, "maxItems": 2
        })
    }
}

impl JsonSchema for Expected {
    fn schema_name() -> Cow<'static, str> {
        "Expected".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let values = generator.subschema_for::<Numbered<Entry>>();
        let mut keys: IndexMap<_, _> = measures::names().map(|measure| (measure, values.clone())).collect();
        keys.insert(SOURCE, generator.subschema_for::<String>());
        keys.insert(MARK, generator.subschema_for::<Mark>());
        json_schema!({"type": "object", "properties": keys, "additionalProperties": false})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::read::{Resolved, parse};

    fn text(expect: &str, evaluate: &str) -> String {
        format!(
            "{{name: a, task: {{sinusoid: {{}}}}, methods: {{maml: {{maml: {{}}}}}}, evaluate: {{{evaluate}}}, expect: {expect}}}"
        )
    }

    const STEPS: &str = "steps: [0, 1, 5]";

    #[test]
    fn values_come_back_from_yaml_and_from_resolved_keys() {
        let expect = "{maml: {mse: {1: [0.67], 5: [0.38, 0.05]}, source: someone, mark: unconfirmed}}";
        let experiment = parse(&text(expect, STEPS), "it").expect("sound");
        let places: Vec<ExpectedAt> = experiment.expect["maml"].places().collect();
        let place = |step, mean, half_width| {
            let value = PublishedValue { mean, half_width };
            ExpectedAt { measure: "mse", shots: None, step, value }
        };
        assert_eq!(places, [place(1, 0.67, None), place(5, 0.38, Some(0.05))]);
        let written = serde_saphyr::to_string(&experiment).expect("YAML");
        assert_eq!(parse(&written, "it").expect("sound"), experiment, "{written}");
        let mut resolved = Resolved::of(&experiment).expect("resolved");
        assert_eq!(resolved.check("it").expect("sound"), experiment);
        resolved.assign("expect.maml.mse.5", serde_json::json!([0.4])).expect("a key");
        let changed = resolved.check("it").expect("sound");
        assert_eq!(changed.expect["maml"].places().last(), Some(place(5, 0.4, None)));
    }

    #[test]
    fn with_several_shots_they_stand_before_the_steps() {
        let several = "steps: [0, 1], shots: [5, 10]";
        let expect = "{maml: {mse: {5: {1: [1.13, 0.18]}, 10: {1: [0.85]}}}}";
        let experiment = parse(&text(expect, several), "it").expect("sound");
        let places: Vec<_> = experiment.expect["maml"].places().map(|p| (p.shots, p.step)).collect();
        assert_eq!(places, [(Some(5), 1), (Some(10), 1)]);
        let written = serde_saphyr::to_string(&experiment).expect("YAML");
        assert_eq!(parse(&written, "it").expect("sound"), experiment, "{written}");
    }
}
