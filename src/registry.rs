//! Registries: what an experiment file can name. A line here makes it listed, documented, parsed and tested.

use std::fmt;

use schemars::Schema;
use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeSeed, EnumAccess, Error, IntoDeserializer, MapAccess, VariantAccess, Visitor,
        value::{EnumAccessDeserializer, StrDeserializer},
    },
};
use serde_json::Value;

/// Name and description of a registered thing, for `quickstudy list`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// As the experiment file names it.
    pub name: &'static str,
    /// What it is, in one sentence or a few.
    pub about: &'static str,
}

/// One entry of a map, read as an externally tagged enum whose tag is the key.
pub(crate) struct Tagged<'a, M> {
    /// The key.
    pub name: &'static str,
    /// The map, before the entry's value.
    pub map: &'a mut M,
}

impl<'de, M: MapAccess<'de>> EnumAccess<'de> for Tagged<'_, M> {
    type Error = M::Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), M::Error> {
        let name: StrDeserializer<M::Error> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de, M: MapAccess<'de>> VariantAccess<'de> for Tagged<'_, M> {
    type Error = M::Error;

    fn unit_variant(self) -> Result<(), M::Error> {
        self.map.next_value()
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, M::Error> {
        self.map.next_value_seed(seed)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, M::Error> {
        Err(M::Error::custom(format!("{} takes one map of settings", self.name)))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, M::Error> {
        Err(M::Error::custom(format!("{} takes one map of settings", self.name)))
    }
}

/// Reads a map that holds one thing of a registry, `{name: settings}`, and keys `beside` it, whose values `take` reads; `None` where the
/// map does not name the thing.
///
/// # Errors
/// What `take` says; the map names two things of the registry; a key is unknown, which is refused where it stands, so that the error
/// points at it.
pub(crate) fn read_with<'de, S: Deserialize<'de>, M: MapAccess<'de>>(
    map: &mut M,
    names: &'static [&'static str],
    beside: &'static [&'static str],
    mut take: impl FnMut(&'static str, &mut M) -> Result<(), M::Error>,
) -> Result<Option<S>, M::Error> {
    let mut found = None;
    while let Some(key) = map.next_key_seed(OneOf { names, beside })? {
        if beside.contains(&key) {
            take(key, map)?;
            continue;
        }
        if let Some((first, _)) = found {
            return Err(M::Error::custom(format!("there can be one here, but there are {first} and {key}")));
        }
        found =
            Some((key, S::deserialize(EnumAccessDeserializer::new(Tagged { name: key, map: &mut *map }))?));
    }
    Ok(found.map(|(_, thing)| thing))
}

/// The schema of such a map: that of the registry, with keys beside each of its things.
pub(crate) fn schema_with(mut registry: Schema, beside: &[(&str, Schema)]) -> Schema {
    let things = registry.get_mut("oneOf").and_then(Value::as_array_mut);
    for thing in things.into_iter().flatten() {
        for (key, schema) in beside {
            thing["properties"][*key] = schema.clone().to_value();
        }
    }
    registry
}

/// Reads a key that is known.
struct OneOf {
    names: &'static [&'static str],
    beside: &'static [&'static str],
}

impl<'de> DeserializeSeed<'de> for OneOf {
    type Value = &'static str;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<&'static str, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for OneOf {
    type Value = &'static str;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "one of {}", [self.names, self.beside].concat().join(", "))
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<&'static str, E> {
        let known = self.names.iter().chain(self.beside).find(|name| **name == key);
        known.copied().ok_or_else(|| E::unknown_variant(key, self.names))
    }
}

/// Declares the enum of configurations of one kind of thing, externally tagged in YAML (`{name: {...}}`).
///
/// Each line is a doc comment (shown by `quickstudy list`), the name in YAML and the configuration, which has defaults.
macro_rules! registry {
    (
        $(#[$attribute:meta])*
        pub enum $Spec:ident: $Contract:ident {
            $($(#[doc = $about:literal])+ $name:tt => $Variant:ident($Config:ty),)+
        }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
        pub enum $Spec {
            $($(#[doc = $about])+ #[serde(rename = $name)] $Variant($Config),)+
        }

        impl $Spec {
            /// What is registered, in order.
            pub const ENTRIES: &[crate::registry::Entry] = &[
                $(crate::registry::Entry { name: $name, about: concat!($($about,)+).trim_ascii() },)+
            ];

            /// Their names, in order.
            pub const NAMES: &[&str] = &[$($name,)+];

            /// Every registered configuration with its defaults.
            pub fn all() -> Vec<Self> {
                vec![$(Self::$Variant(<$Config>::default()),)+]
            }

            /// The name in YAML.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$Variant(_) => $name,)+
                }
            }
        }

        // By hand, so that paths in errors have the names in YAML.
        impl garde::Validate for $Spec {
            type Context = ();

            fn validate_into(
                &self,
                context: &(),
                mut parent: &mut dyn FnMut() -> garde::Path,
                report: &mut garde::Report,
            ) {
                let name = self.name();
                let mut path = garde::util::nested_path!(parent, name);
                match self {
                    $(Self::$Variant(config) => config.validate_into(context, &mut path, report),)+
                }
            }
        }

        impl std::ops::Deref for $Spec {
            type Target = dyn $Contract;

            fn deref(&self) -> &Self::Target {
                match self {
                    $(Self::$Variant(config) => config,)+
                }
            }
        }
    };
}

pub(crate) use registry;
