//! The data sets with published settings.

/// The settings of the paper's experiments (section 4.1 and the authors' code).
///
/// # Examples
///
/// ```
/// use bspm_core::{Merge, Preset};
///
/// let preset: Preset = "amazon-book".parse()?;
/// assert_eq!(preset.config().merge(), Merge::Late);
/// assert!(preset.config().ideal_low_pass().is_none());
/// # Ok::<(), bspm_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Preset {
    /// RK4, `K_s = 1`, `T_s = 2.5`, early merge, `beta = 0.2`, 448 factors.
    Gowalla,
    /// Euler, `K_s = 1`, `T_s = 1.2`, early merge, t-point combination,
    /// `beta = 0.3`, 384 factors.
    Yelp2018,
    /// RK4, `K_s = 2`, `T_s = 2.2`, late merge, no ideal low-pass filter.
    AmazonBook,
}

impl Preset {
    /// All presets.
    pub const ALL: [Self; 3] = [Self::Gowalla, Self::Yelp2018, Self::AmazonBook];

    /// The numbers of users and items of the data set.
    pub fn shape(self) -> (usize, usize) {
        match self {
            Self::Gowalla => (29_858, 40_981),
            Self::Yelp2018 => (31_668, 38_048),
            Self::AmazonBook => (52_643, 91_599),
        }
    }

    /// Whether a matrix has more than four times as many users or items as the data set, or less than a
    /// quarter. Settings that depend on the shape, such as the number of singular vectors, are then
    /// unsuitable.
    pub fn is_far_from(self, users: usize, items: usize) -> bool {
        let is_far = |own: usize, other: usize| other > 4 * own || other < own / 4;
        is_far(self.shape().0, users) || is_far(self.shape().1, items)
    }
}

bspm_data::names! {
    Preset("preset"):
    Gowalla = "gowalla",
    Yelp2018 = "yelp2018",
    AmazonBook = "amazon-book",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_near_or_far() {
        assert!(!Preset::Gowalla.is_far_from(31_668, 38_048));
        assert!(Preset::Gowalla.is_far_from(943, 1_682));
        assert!(Preset::Yelp2018.is_far_from(30_000, 400_000));
    }

    #[test]
    fn every_preset_is_read_back_by_name() {
        for preset in Preset::ALL {
            assert_eq!(preset.name().parse::<Preset>().unwrap(), preset);
        }
    }
}
