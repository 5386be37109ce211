//! How far a meta-gradient goes through the adaptation.

/// What the fast weights remember of how they came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// Nothing: for prediction.
    #[serde(skip)]
    Zero,
    /// Inner gradients count as constants (FOMAML).
    First,
    /// Everything: exact meta-gradients.
    Second,
}
