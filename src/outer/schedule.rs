//! How the outer step size changes over training.

use std::f64::consts::PI;

use garde::Validate;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::validity::share;

/// A shape with its settings: `cosine`, or `{cosine: {floor: 0.01, warm_up: 100}}`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    /// How the step size falls.
    pub shape: Shape,
    /// How far, and what comes before.
    pub settings: Settings,
}

/// How the step size falls after the warm-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// Not at all.
    Constant,
    /// In a straight line.
    Linear,
    /// Along half a cosine (Loshchilov & Hutter 2017, https://arxiv.org/abs/1608.03983, equation 5).
    Cosine,
}

/// What all shapes have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The share of the step size that is left at the end.
    #[garde(custom(share))]
    #[schemars(extend("minimum" = 0, "maximum" = 1))]
    pub floor: f64,
    /// Iterations over which the step size first rises in a straight line (Goyal et al. 2017, https://arxiv.org/abs/1706.02677, section 2.2).
    #[garde(range(max = 100_000_000))]
    #[schemars(range(max = 100_000_000))]
    pub warm_up: usize,
}

impl From<Shape> for Schedule {
    fn from(shape: Shape) -> Self {
        Self { shape, settings: Settings::default() }
    }
}

impl Default for Schedule {
    fn default() -> Self {
        Shape::Constant.into()
    }
}

impl Schedule {
    /// The factor on the step size at `iteration` (from 0) of `iterations`.
    pub fn factor(&self, iteration: usize, iterations: usize) -> f64 {
        let Settings { floor, warm_up } = self.settings;
        if iteration < warm_up {
            return (iteration as f64 + 1.0) / (warm_up as f64 + 1.0);
        }
        let done = (iteration - warm_up) as f64 / iterations.saturating_sub(warm_up).max(1) as f64;
        let falling = match self.shape {
            Shape::Constant => return 1.0,
            Shape::Linear => 1.0 - done,
            Shape::Cosine => 0.5 * (1.0 + (PI * done).cos()),
        };
        if floor > 0.0 { floor + (1.0 - floor) * falling } else { falling }
    }
}

impl Validate for Schedule {
    type Context = ();

    fn validate_into(
        &self,
        context: &(),
        parent: &mut dyn FnMut() -> garde::Path,
        report: &mut garde::Report,
    ) {
        self.settings.validate_into(context, parent, report);
    }
}

/// Both forms, as they are written.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Written {
    /// The step size stays.
    Constant(Settings),
    /// It falls in a straight line.
    Linear(Settings),
    /// It falls along half a cosine.
    Cosine(Settings),
}

impl Serialize for Schedule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.settings == Settings::default() {
            return self.shape.serialize(serializer);
        }
        match self.shape {
            Shape::Constant => Written::Constant(self.settings),
            Shape::Linear => Written::Linear(self.settings),
            Shape::Cosine => Written::Cosine(self.settings),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Schedule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Schedule;

            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("constant, linear or cosine, or a map like {cosine: {floor: 0.01, warm_up: 100}}")
            }

            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Schedule, E> {
                Shape::deserialize(serde::de::value::StrDeserializer::new(name)).map(Schedule::from)
            }

            fn visit_map<M: serde::de::MapAccess<'de>>(self, map: M) -> Result<Schedule, M::Error> {
                let written = Written::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                let (shape, settings) = match written {
                    Written::Constant(settings) => (Shape::Constant, settings),
                    Written::Linear(settings) => (Shape::Linear, settings),
                    Written::Cosine(settings) => (Shape::Cosine, settings),
                };
                Ok(Schedule { shape, settings })
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for Schedule {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Schedule".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (short, long) = (generator.subschema_for::<Shape>(), generator.subschema_for::<Written>());
        json_schema!({"description": "How the step size changes over training.", "anyOf": [short, long]})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Schedule {
        serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn both_forms_are_read_and_written() {
        assert_eq!(read("cosine"), Shape::Cosine.into());
        let long = read("{linear: {floor: 0.25, warm_up: 4}}");
        assert_eq!(long, Schedule { shape: Shape::Linear, settings: Settings { floor: 0.25, warm_up: 4 } });
        for schedule in [long, Shape::Constant.into()] {
            assert_eq!(read(&serde_saphyr::to_string(&schedule).expect("YAML")), schedule);
        }
        let error = serde_saphyr::from_str::<Schedule>("{linear: {flor: 1}}").expect_err("a typo");
        assert!(error.to_string().contains("flor"), "{error}");
        assert!(serde_saphyr::from_str::<Schedule>("sinus").is_err());
    }

    #[test]
    fn shapes_start_at_one_and_fall_to_their_floor() {
        for shape in [Shape::Linear, Shape::Cosine] {
            let to_zero = Schedule::from(shape);
            assert_eq!(to_zero.factor(0, 10), 1.0);
            assert!((to_zero.factor(5, 10) - 0.5).abs() < 1e-12);
            assert!(to_zero.factor(10, 10).abs() < 1e-12);
            let to_floor = Schedule { shape, settings: Settings { floor: 0.2, warm_up: 0 } };
            assert!((to_floor.factor(5, 10) - 0.6).abs() < 1e-12);
            assert!((to_floor.factor(10, 10) - 0.2).abs() < 1e-12);
        }
    }

    #[test]
    fn a_warm_up_rises_to_where_the_shape_begins() {
        let schedule = Schedule { shape: Shape::Linear, settings: Settings { floor: 0.0, warm_up: 4 } };
        let factors: Vec<f64> = (0..8).map(|i| schedule.factor(i, 8)).collect();
        let expected = [0.2, 0.4, 0.6, 0.8, 1.0, 0.75, 0.5, 0.25];
        assert!(factors.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{factors:?}");
    }
}
