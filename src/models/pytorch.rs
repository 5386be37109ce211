//! Models as modules of PyTorch, for those who go on there.

/// One of the modules of an `nn.Sequential`.
#[derive(Clone, Debug, PartialEq)]
pub struct Module {
    /// How Python makes it: `nn.Linear(784, 64)`.
    pub code: String,
    /// The name of each of its tensors, and the parameter of the model that it holds; shapes are the same.
    pub tensors: Vec<(&'static str, String)>,
}

#[cfg(test)]
mod tests {
    use crate::{
        models::{
            ModelSpec,
            mlp::{Activation, Mlp},
        },
        random::{Purpose, stream},
    };

    #[test]
    fn the_modules_of_every_model_hold_each_of_its_parameters_once() {
        let deep =
            Mlp { hidden: vec![7, 5, 6], activation: Activation::Tanh, batch_norm: true, ..Mlp::default() };
        let linear = Mlp { hidden: vec![], ..Mlp::default() };
        let mut specs = ModelSpec::all();
        specs.extend([ModelSpec::Mlp(deep), ModelSpec::Mlp(linear)]);
        for spec in specs {
            let theta = spec.build(12, 3).init(&mut stream(0, Purpose::Init, 0));
            let modules = spec.modules(&theta).expect("its own parameters");
            let held: Vec<_> = modules.iter().flat_map(|m| &m.tensors).map(|(_, name)| name).collect();
            assert_eq!(held, theta.names.iter().collect::<Vec<_>>(), "{spec:?}");
            assert!(spec.modules(&Default::default()).is_err(), "{spec:?}");
        }
    }
}
