//! How many points of a function are seen and asked for.

use std::{borrow::Cow, fmt};

use garde::Validate;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, MapAccess, value::MapAccessDeserializer},
};

use crate::tasks::family::Part;

/// The points of a family's tasks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Points {
    /// K, support points in validation and test.
    pub shots: usize,
    /// Query points there.
    pub queries: Queries,
    /// Support points in meta-training.
    pub training_shots: usize,
    /// Query points there.
    pub training_queries: Queries,
    /// Standard deviation of what is added to every y but those on a grid.
    pub noise: f64,
}

impl Points {
    /// What settings say; without queries there are as many as shots.
    pub fn new(shots: usize, queries: Option<Queries>, training: Training, noise: f64) -> Self {
        let training_shots = training.shots.unwrap_or(shots);
        Self {
            shots,
            queries: queries.unwrap_or(Queries::Drawn(shots)),
            training_shots,
            training_queries: training.queries.or(queries).unwrap_or(Queries::Drawn(training_shots)),
            noise,
        }
    }

    /// The queries of a part.
    pub fn queries(&self, part: Part) -> Queries {
        match part {
            Part::Train => self.training_queries,
            Part::Validation | Part::Test => self.queries,
        }
    }
}

/// What is other in meta-training than in validation and test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Training {
    /// Support points.
    #[garde(inner(range(min = 1, max = 10_000)))]
    #[schemars(range(min = 1, max = 10_000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shots: Option<usize>,
    /// Query points.
    #[garde(dive)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queries: Option<Queries>,
}

impl Training {
    /// Whether nothing is.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// Where a function is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Queries {
    /// At so many points, drawn as those of the support set are.
    Drawn(usize),
    /// At so many points at equal distances, both ends included.
    Grid {
        /// The number.
        grid: usize,
    },
}

/// The most queries of a task.
const MOST: usize = 10_000;

impl Queries {
    /// The number of points.
    pub fn count(self) -> usize {
        match self {
            Self::Drawn(count) | Self::Grid { grid: count } => count,
        }
    }
}

impl Validate for Queries {
    type Context = ();

    fn validate_into(&self, _: &(), parent: &mut dyn FnMut() -> garde::Path, report: &mut garde::Report) {
        let least = if let Self::Grid { .. } = self { 2 } else { 1 };
        if !(least..=MOST).contains(&self.count()) {
            report.append(parent(), garde::Error::new(format!("must be {least} to {MOST} points")));
        }
    }
}

impl JsonSchema for Queries {
    fn schema_name() -> Cow<'static, str> {
        "Queries".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"oneOf": [
            {"description": "So many points, drawn as those of the support set are.", "type": "integer", "minimum": 1, "maximum": MOST},
            {
                "description": "So many points at equal distances, both ends included.",
                "type": "object",
                "properties": {"grid": {"description": "The number.", "type": "integer", "minimum": 2, "maximum": MOST}},
                "required": ["grid"],
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
                f.write_str("a number of query points, or {grid: 100}")
            }

            fn visit_u64<E: de::Error>(self, count: u64) -> Result<Queries, E> {
                Ok(Queries::Drawn(usize::try_from(count).unwrap_or(usize::MAX)))
            }

            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Queries, M::Error> {
                #[derive(Deserialize)]
                #[serde(deny_unknown_fields)]
                struct Keys {
                    grid: usize,
                }
                let Keys { grid } = Keys::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Queries::Grid { grid })
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// A range to draw from, if any is given: two finite numbers, the lower one first.
pub fn range(range: &Option<[f64; 2]>, _: &()) -> garde::Result {
    let Some([low, high]) = range else { return Ok(()) };
    if low.is_finite() && high.is_finite() && low <= high {
        return Ok(());
    }
    Err(garde::Error::new(format!("must be two finite numbers, the lower one first, not [{low}, {high}]")))
}
