//! What the testing field predicts a student's next answers by: models with closed formulas, fitted to all students at once by marginal
//! maximum likelihood, in f64.
//!
//! Symbols: u a student, U of them; i an item, I of them; k a kind of student, K of them: a latent class, or a node of a grid of abilities.
//!
//! | file | what it holds |
//! |---|---|
//! | [`responses`] | who answered what |
//! | [`kinds`] | students as a mixture of kinds: the kind of a student after some answers, and the answers expected of the student |
//! | [`em`] | mixtures fitted to responses by expectation and maximisation |
//! | [`regression`] | a logistic regression for each item, by Newton's method |
//! | [`irt`] | item response theory: kinds are abilities |
//! | [`classes`] | latent classes: kinds are free; with one class, the items' means |
//! | [`beta_binomial`] | students who differ in their share of right answers alone |

pub mod beta_binomial;
pub mod classes;
pub mod em;
pub mod irt;
pub mod kinds;
pub mod regression;
pub mod responses;

pub use kinds::Kinds;
pub use responses::Responses;
