//! Models as modules of PyTorch, for those who go on there.

/// One of the modules of an `nn.Sequential`.
#[derive(Clone, Debug, PartialEq)]
pub struct Module {
    /// How Python makes it: `nn.Linear(784, 64)`.
    pub code: String,
    /// The name of each of its tensors, and the parameter of the model that it holds; shapes are the same.
    pub tensors: Vec<(&'static str, String)>,
}
