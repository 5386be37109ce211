//! Stub.
use crate::{
    data::Source,
    random::{Purpose, stream},
    tasks::Part,
};
use anyhow::Result;
use rand::RngExt;
#[derive(
    Clone,
    Debug,
    Default,
    PartialEq,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
    garde::Validate,
)]
pub struct SplitSpec {}
impl SplitSpec {
    pub fn folds(&self) -> usize {
        1
    }
    pub fn parts(
        &self,
        students: &[String],
        _fold: usize,
        _source: &Source,
    ) -> Result<(Vec<Option<Part>>, Vec<String>)> {
        let mut s = stream(0, Purpose::Split, 0);
        Ok((
            students
                .iter()
                .map(|_| {
                    let u: f64 = s.random();
                    Some(if u < 0.6 {
                        Part::Train
                    } else if u < 0.8 {
                        Part::Validation
                    } else {
                        Part::Test
                    })
                })
                .collect(),
            vec![],
        ))
    }
}
