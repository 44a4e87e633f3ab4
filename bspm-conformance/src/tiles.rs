//! Runs tiles.

use bspm_core::backend::{Backend, Checked};
use bspm_data::Error;

/// Every tile runs once, with a workspace, and the results are in order.
pub fn tiles_come_back_in_order<B: Backend>(backend: &B) {
    for tiles in [0, 1, 2, 67] {
        let results = Checked::new(backend)
            .for_each_tile(tiles, || Ok(3), |workspace, tile| Ok(*workspace * tile))
            .unwrap();
        assert_eq!(results, (0..tiles).map(|tile| 3 * tile).collect::<Vec<_>>());
    }
}

/// An error of a workspace or of a tile is returned.
pub fn the_first_error_of_a_tile_comes_back<B: Backend>(backend: &B) {
    let error = |user| Error::UnknownUser { user, users: 1 };
    let failed = Checked::new(backend)
        .for_each_tile(
            40,
            || Ok(()),
            |(), tile| {
                if tile % 10 == 9 {
                    return Err(error(tile as u32));
                }
                Ok(tile)
            },
        )
        .unwrap_err();
    assert!(failed.to_string().starts_with("user 9 "), "{failed}");
    let failed = Checked::new(backend)
        .for_each_tile(4, || Err::<(), _>(error(77)), |(), tile| Ok(tile))
        .unwrap_err();
    assert!(failed.to_string().starts_with("user 77 "), "{failed}");
}
