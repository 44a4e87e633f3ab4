//! A third backend, in plain loops over ndarray, passes the conformance suite: `loops` is all that a backend
//! must implement.

#[path = "../../src/guide/loops.rs"]
mod loops;

use bspm::backend::{Checked, Combination, Direction, Operand, SparseParts, Update};
use bspm::data::History;
use bspm::{Error, Interactions};
use loops::Loops;

bspm_conformance::backend_conformance!(Loops);

#[test]
fn operands_that_do_not_fit_are_refused_before_the_backend_is_asked() {
    let checked = Checked::new(&Loops);
    let matrix = |rows, columns| checked.zeros(rows, columns).unwrap();
    let (left, right) = (matrix(2, 3), matrix(4, 5));
    let mut out = matrix(2, 5);
    let history = checked
        .upload_histories(&[(&[0]).into()], &[1.0; 4], 5)
        .unwrap();
    let history = Operand::Histories(&history);
    let (dense, replace) = (Operand::Dense(&right), Update::REPLACE);
    let addend = Update {
        addend: Some((1.0, &left)),
        ..Update::REPLACE
    };
    let interactions = Interactions::from_pairs(2, 3, [(0, 1), (1, 2)]).unwrap();
    let transposed = interactions.transposed_csr();
    let walk = |user_scale: &[f32]| {
        checked.upload_sparse(SparseParts::Walk {
            user_items: interactions.as_csr(),
            item_users: transposed.view(),
            user_scale,
            item_scale: &[1.0; 3],
            weights: None,
        })
    };
    let sparse = walk(&[1.0; 2]).unwrap();
    let mut half_way = matrix(2, 5);
    let beyond = Combination {
        plain: vec![(1, 1.0)],
        scaled: Vec::new(),
        scales: vec![0.0],
    };
    let refused = [
        (
            "matmul",
            checked.matmul(&left, false, dense, replace, &mut out),
        ),
        (
            "matmul",
            checked.matmul(&left, false, history, replace, &mut out),
        ),
        (
            "matmul",
            checked.matmul(&matrix(2, 4), false, dense, addend, &mut out),
        ),
        (
            "spmm",
            checked.spmm(&sparse, Direction::Forward, dense, replace, &mut out),
        ),
        (
            "ode_step",
            checked.ode_step(&sparse, None, replace, &mut half_way, &mut out),
        ),
        ("add_scaled", checked.add_scaled(1.0, dense, 1.0, &mut out)),
        ("scale_rows", checked.scale_rows(&matrix(3, 1), &mut out)),
        ("columns", checked.columns(&left, 0..4).map(drop)),
        (
            "concatenate_columns",
            checked
                .concatenate_columns(&[matrix(2, 1), matrix(3, 1)])
                .map(drop),
        ),
        ("upload_sparse", walk(&[1.0]).map(drop)),
        (
            "upload_histories",
            checked
                .upload_histories(&[History::EMPTY; 2], &[], 1)
                .map(drop),
        ),
        (
            "invert_positive_definite",
            checked.invert_positive_definite(matrix(2, 3)).map(drop),
        ),
        (
            "top_k",
            checked
                .top_k(&mut matrix(3, 2), &matrix(2, 1), &[], &[])
                .map(drop),
        ),
        (
            "ranks_of_sums",
            checked
                .ranks_of_sums(&[matrix(3, 2)], &[beyond], &matrix(3, 1), &[], &[], 1)
                .map(drop),
        ),
    ];
    for (expected, outcome) in refused {
        match outcome {
            Err(Error::ShapeMismatch { operation, .. }) => assert_eq!(operation, expected),
            other => panic!("{expected}: {other:?}"),
        }
    }
}

#[test]
fn items_outside_the_matrix_are_refused_before_the_backend_is_asked() {
    let checked = Checked::new(&Loops);
    let message = "item 2 is not one of the 2 items (0 to 1)";
    let history = checked.upload_histories(&[(&[0, 2]).into()], &[1.0, 1.0], 1);
    assert_eq!(history.unwrap_err().to_string(), message);
    let scale = checked.zeros(2, 1).unwrap();
    let mut scores = checked.zeros(2, 1).unwrap();
    let hidden = checked.top_k(&mut scores, &scale, &[&[2]], &[1]);
    assert_eq!(hidden.unwrap_err().to_string(), message);
}
