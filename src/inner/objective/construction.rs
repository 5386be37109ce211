//! How the problem of adapting to some episodes is set up: its rows, and what goes into the network.

use tch::{Kind, Tensor, no_grad};

use super::Objective;
use crate::{
    inner::{
        Network, Order,
        network::InputMoves,
        rows::{Form, Input, Moves, Place, RowSet},
        sight::{Sight, numbers, rows_of},
    },
    models::layers,
    random::Draws,
    tasks::{Episode, copies::Copier},
};

impl<'a> Objective<'a> {
    /// The problem of adapting `theta`, the model's part of it, to the support sets of `episode`; `draws` are the streams from which
    /// rules draw.
    pub fn new(
        network: Network<'a>,
        theta: &'a [Tensor],
        episode: &Episode,
        form: Form,
        order: Order,
        draws: Draws,
    ) -> Self {
        let episode = &episode.without_padding();
        let split = |t: &Tensor| {
            let query = t.narrow(1, episode.support, episode.queries());
            (t.narrow(1, 0, episode.support), query)
        };
        let (x, y) = (split(&episode.x), split(&episode.y));
        let inputs = match network.input_moves(form) {
            InputMoves::Nothing => (Input::Nothing, Input::Nothing),
            InputMoves::Explicit => (Input::Explicit, Input::Explicit),
            implicit => {
                let gram = |bias: f64| {
                    let gram = no_grad(|| {
                        let gram = x.0.bmm(&episode.x.transpose(1, 2)); // [T, S, S + Q]
                        if bias == 0.0 { gram } else { gram + bias }
                    });
                    split(&gram.transpose(1, 2))
                };
                let linear = || layers::linear(&episode.x, &theta[0], &theta[1]);
                let (at_theta, moves) = match implicit {
                    InputMoves::Not => (linear(), (Moves::Not, Moves::Not)),
                    InputMoves::Together => {
                        let gram = gram(1.0);
                        (linear(), (Moves::Together(gram.0), Moves::Together(gram.1)))
                    }
                    _ => {
                        let gram = gram(0.0);
                        let at_theta = episode.x.matmul(&theta[0].transpose(0, 1));
                        (at_theta, (Moves::Apart(gram.0), Moves::Apart(gram.1)))
                    }
                };
                let at_theta = split(&at_theta);
                let of = |at_theta, moves| Input::Implicit {
                    at_theta,
                    moves,
                    place: Place::All,
                    support: episode.support,
                };
                (of(at_theta.0, moves.0), of(at_theta.1, moves.1))
            }
        };
        let part = |x: Tensor, y: Tensor, weight: Option<Tensor>, input| {
            let expected = network.loss.expected(&y, network.outputs, &x);
            RowSet { x, y: y.contiguous(), expected, weight, input }.normalised()
        };
        let weight = episode.weight.as_ref().map(split).unzip();
        let asked = weight.1.as_ref().map_or(1.0, |weight: &Tensor| {
            let asked = weight.gt(0.0).any_dim(1, false).to_kind(Kind::Double);
            asked.mean(None::<Kind>).double_value(&[])
        });
        let shots = match &weight.0 {
            None => x.0.new_full([episode.tasks()], episode.support as f64, (x.0.kind(), x.0.device())),
            Some(weight) => weight.gt(0.0).sum_dim_intlist(1, false, x.0.kind()),
        };
        let support = part(x.0, y.0, weight.0, inputs.0);
        let query = part(x.1, y.1, weight.1, inputs.1);
        Self {
            network,
            theta,
            x: episode.x.shallow_clone(),
            asked,
            shots,
            support,
            query,
            order,
            draws,
            sight: Sight::Whole,
            rows_at_once: i64::MAX,
        }
    }

    /// The problem of adapting in at most so many steps to copies of the support images, others in each step; with `batch`, to copies
    /// of so many of them.
    ///
    /// The implicit form draws those of all steps at once: its fast weight has a row for each, or its output at theta has.
    #[expect(clippy::too_many_arguments, reason = "what an objective is made of, and the copies")]
    pub fn on_copies(
        network: Network<'a>,
        theta: &'a [Tensor],
        episode: &Episode,
        copier: &'a Copier,
        batch: Option<usize>,
        steps: usize,
        form: Form,
        order: Order,
        draws: Draws,
    ) -> Self {
        let originals = copier.originals(&episode.support_x());
        if let InputMoves::Explicit | InputMoves::Nothing = network.input_moves(form) {
            let plain = Self::new(network, theta, episode, form, order, draws);
            return Self { sight: Sight::Copies(originals, batch), ..plain };
        }
        let (mut x, mut y, mut weight) = (Vec::new(), Vec::new(), Vec::new());
        for step in 0..steps.max(1) {
            let rows = rows_of(step, episode.support as usize, batch, draws);
            x.push(originals.copies(&rows, &draws, step));
            let of_copies = |all: &Tensor| {
                let support = all.narrow(1, 0, episode.support);
                originals.repeated(&support.index_select(1, &numbers(&rows, episode.x.device())))
            };
            y.push(of_copies(&episode.y));
            weight.extend(episode.weight.as_ref().map(of_copies));
        }
        let block = x[0].size()[1];
        let support = block * x.len() as i64;
        x.push(episode.query_x());
        y.push(episode.query_y());
        weight.extend(episode.weight.as_ref().map(|all| all.narrow(1, episode.support, episode.queries())));
        let weight = (!weight.is_empty()).then(|| Tensor::cat(&weight, 1));
        let copies = Episode { x: Tensor::cat(&x, 1), y: Tensor::cat(&y, 1), weight, support };
        Self { sight: Sight::Blocks(block), ..Self::new(network, theta, &copies, form, order, draws) }
    }
}
