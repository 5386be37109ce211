//! Registries: what an experiment file can name. A line here makes it listed, documented, parsed and tested.

/// Name and description of a registered thing, for `quickstudy list`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// As the experiment file names it.
    pub name: &'static str,
    /// What it is, in one sentence or a few.
    pub about: &'static str,
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
