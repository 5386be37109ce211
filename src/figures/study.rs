//! x
use super::Drawn;
pub struct StudyResults {
    pub name: String,
    pub objective: String,
    pub lower_is_better: bool,
    pub trials: Vec<TrialResult>,
    pub parameters: Vec<Parameter>,
}
pub struct TrialResult {
    pub number: usize,
    pub score: f64,
    pub complete: bool,
    pub values: Vec<Option<f64>>,
    pub curve: Vec<(f64, f64)>,
}
pub struct Parameter {
    pub path: String,
    pub scale: Scale,
}
pub enum Scale {
    Linear,
    Logarithmic,
    Options(Vec<String>),
}
pub fn draw(_: &StudyResults) -> anyhow::Result<Vec<Drawn>> {
    Ok(vec![])
}
