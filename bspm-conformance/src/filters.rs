//! Compares every filter with its definition, in `f64` on dense matrices.

use std::sync::Arc;

use ndarray::{Array1, Array2, Axis, s};

use super::reference::jacobi;
use super::{
    Reference, assert_close, largest, random_interactions, random_matrix, random_source,
    random_weights, to_f64,
};
use bspm_core::FilterConfig;
use bspm_core::FittedFilter;
use bspm_core::Preset;
use bspm_core::backend::{
    Backend, Direction, MOST_ROWS_IN_F64, Operand, Shaped, SparseParts, Update,
};
use bspm_core::filters::{
    ChebyCf, EaseDan, EaseR, Family, FrequencyResponse, GfCf, ItemKnn, LgcnIde, LinkProp, Mix,
    Neighbours, Popularity, Rp3Beta, Sgfcf, Similarity, SvdAe, TurboCf, TurboFilter, UserWeighting,
};
use bspm_core::fitted::RankOptions;
use bspm_data::History;
use bspm_data::Interactions;
use sprs::{CsMatI, TriMatI};

/// The Gram matrix of EASE-R is formed in tiles of at most 128 items, and its diagonal is read in blocks.
pub fn ease_r_of_several_tiles_follows_its_definition<B: Backend>(backend: &B) {
    let (users, items) = (40, 300);
    let random = &mut random_source(21);
    let interactions = random_weights(&random_interactions(users, items, 2000, random), random);
    let mut history = Array2::zeros((users, items));
    for (user, item, weight) in interactions.entries() {
        history[[user as usize, item as usize]] = f64::from(weight);
    }
    let gram = history.t().dot(&history) + Array2::<f64>::eye(items) * 3.0;
    let inverse = inverse(gram);
    let mut weights = -&inverse / inverse.diag();
    weights.diag_mut().fill(0.0);
    let expected = history.dot(&weights);

    let filter = EaseR::published(Preset::Gowalla).lambda(3.0);
    let fitted = FittedFilter::fit(backend.clone(), interactions, filter).unwrap();
    let all: Vec<u32> = (0..users as u32).collect();
    let found = to_f64(fitted.score(&all).unwrap().view());
    let error = largest(&(found - &expected)) / largest(&expected);
    assert!(error < 1e-4, "error {error:e}");
}

/// The dense matrices of the definitions.
struct Dense {
    /// `A: users x items`.
    history: Array2<f64>,
    user_degrees: Array1<f64>,
    item_degrees: Array1<f64>,
    reference: Reference,
    interactions: Interactions,
}

impl Dense {
    fn new(interactions: Interactions) -> Self {
        Self::with_offset(interactions, 0.0)
    }

    /// Creates the matrices, with an offset that is added to all degrees.
    fn with_offset(interactions: Interactions, offset: f64) -> Self {
        let mut history = Array2::zeros((interactions.users(), interactions.items()));
        for (user, item, weight) in interactions.entries() {
            history[[user as usize, item as usize]] = f64::from(weight);
        }
        let one_for_none = |degree: f64| offset + if degree > 0.0 { degree } else { 1.0 };
        let at_least_one = |degrees: Array1<f64>| degrees.mapv(one_for_none);
        Self {
            user_degrees: at_least_one(history.sum_axis(Axis(1))),
            item_degrees: at_least_one(history.sum_axis(Axis(0))),
            reference: Reference::with_offset(&interactions, offset),
            history,
            interactions,
        }
    }

    /// `A` with its rows and columns divided by powers of the degrees.
    fn normalised(&self, user_power: f64, item_power: f64) -> Array2<f64> {
        let users = self.user_degrees.mapv(|degree| degree.powf(-user_power));
        let items = self.item_degrees.mapv(|degree| degree.powf(-item_power));
        &self.history * &users.insert_axis(Axis(1)) * &items
    }

    /// `R^T R` for `R = D_u^-1/2 A D_i^-1/2`.
    fn propagation(&self) -> Array2<f64> {
        self.reference.propagation().clone()
    }

    fn scores(&self, config: &FilterConfig) -> Array2<f64> {
        if let Some((offset, without)) = without_offset(config) {
            return Self::with_offset(self.interactions.clone(), offset).scores(&without);
        }
        match config {
            FilterConfig::Bspm(config) => self.reference.scores(config).scores,
            FilterConfig::GfCf(GfCf {
                factor_dim, alpha, ..
            }) => {
                let blurred = self.history.dot(&self.propagation());
                let roots = self.item_degrees.mapv(f64::sqrt);
                let projection = self.reference.projection(*factor_dim);
                let low_pass = (&self.history / &roots).dot(&projection) * &roots;
                blurred + low_pass * f64::from(*alpha)
            }
            FilterConfig::LgcnIde(LgcnIde { layers, .. }) => {
                let start = self.normalised(0.0, 0.5);
                (0..*layers).fold(start, |point, _| point.dot(&self.propagation()))
            }
            FilterConfig::LinkProp(LinkProp {
                beta, gamma, delta, ..
            }) => {
                let paths = self.normalised(0.0, *beta).dot(&self.history.t());
                paths.dot(&self.normalised(*gamma, *delta))
            }
            FilterConfig::TurboCf(settings) => {
                let normalised = self.normalised(settings.alpha, 1.0 - settings.alpha);
                let graph = normalised.t().dot(&normalised);
                let graph = graph.mapv(|entry| match entry {
                    0.0 => 0.0,
                    entry => entry.powf(settings.power),
                });
                let (square, cube) = (graph.dot(&graph), graph.dot(&graph).dot(&graph));
                let filter = match settings.filter {
                    TurboFilter::Linear => graph,
                    TurboFilter::SecondOrder => graph * 2.0 - square,
                    TurboFilter::ThirdOrder => {
                        &graph + (square * 10.0 - cube - &graph * 29.0) * 0.01
                    }
                };
                self.history.dot(&filter)
            }
            FilterConfig::ChebyCf(settings) => self.cheby_cf(settings),
            FilterConfig::EaseR(EaseR {
                lambda, neighbours, ..
            }) => {
                let items = self.item_degrees.len();
                let gram = self.history.t().dot(&self.history);
                let gram = gram + Array2::<f64>::eye(items) * *lambda;
                self.history.dot(&autoencoder(gram, *neighbours))
            }
            FilterConfig::EaseDan(settings) => self.ease_dan(settings),
            FilterConfig::SvdAe(SvdAe { factor_dim, .. }) => {
                let (eigenvalues, vectors) = jacobi(self.propagation());
                let kept = vectors.slice(s![.., ..*factor_dim]);
                let inverted = Array1::from(eigenvalues[..*factor_dim].to_vec()).mapv(f64::recip);
                let seen = self.normalised(0.0, 0.5).dot(&kept) * &inverted;
                let decoder = kept.t().dot(&self.normalised(0.5, 0.5).t());
                seen.dot(&decoder.dot(&self.history))
            }
            FilterConfig::Sgfcf(settings) => self.sgfcf(settings),
            FilterConfig::ItemKnn(settings) => self.item_knn(settings),
            FilterConfig::Rp3Beta(settings) => {
                let to_items = self.normalised(0.0, settings.alpha);
                let weights = to_items
                    .t()
                    .dot(&self.normalised(settings.alpha, settings.beta));
                self.history.dot(&neighbours(weights, settings.neighbours))
            }
            FilterConfig::Family(settings) => self.family(settings),
            FilterConfig::Mix(settings) => {
                let parts = settings
                    .parts
                    .iter()
                    .map(|part| self.unit(self.scores(&part.filter)) * part.share);
                parts
                    .reduce(|sum, part| sum + part)
                    .expect("a mix has parts")
            }
            FilterConfig::Neighbours(settings) => {
                assert!(settings.keep >= self.item_degrees.len(), "all is kept");
                self.scores(&settings.filter)
            }
            FilterConfig::ItemGraph(settings) => {
                panic!("{} is defined where it was made", settings.name)
            }
            FilterConfig::Popularity(_) => {
                let degrees = self.history.sum_axis(Axis(0));
                Array2::from_shape_fn(self.history.dim(), |(_, item)| degrees[item])
            }
            other => panic!("{} has no reference here", other.name()),
        }
    }

    /// As in the paper: the autoencoder of EASE-R between two diagonal matrices.
    fn ease_dan(&self, settings: &EaseDan) -> Array2<f64> {
        let users = self
            .user_degrees
            .mapv(|it| (it + settings.offset).powf(-settings.beta));
        let items = &self.item_degrees + settings.offset;
        let weighted = &self.history * &users.insert_axis(Axis(1));
        let ridge = Array2::from_diag(&(&items * settings.lambda));
        let gram = self.history.t().dot(&weighted) + ridge;
        let power = |power: f64| items.mapv(|degree| degree.powf(power));
        let forward = power(1.0 - settings.alpha).insert_axis(Axis(1));
        let backward = power(settings.alpha - 1.0);
        let weights = autoencoder(gram, settings.neighbours) * &forward * &backward;
        self.history.dot(&weights)
    }

    /// With the left singular vectors, and a power of the values.
    fn sgfcf(&self, settings: &Sgfcf) -> Array2<f64> {
        let power = |degrees: &Array1<f64>| {
            degrees.mapv(|degree| (degree + settings.offset).powf(-settings.epsilon))
        };
        let users = power(&self.user_degrees).insert_axis(Axis(1));
        let history = &self.history * &power(&self.item_degrees);
        let normalised = &history * &users;
        let (eigenvalues, vectors) = jacobi(normalised.t().dot(&normalised));
        let kept = vectors.slice(s![.., ..settings.factor_dim]);
        let values = Array1::from(eigenvalues[..settings.factor_dim].to_vec()).mapv(f64::sqrt);
        let shares = &values / values[0];
        let left = normalised.dot(&kept) / &values;
        let low_pass = (left * shares.mapv(|it| it.powf(settings.beta))).dot(&kept.t()) / &users;
        let paths = history.dot(&normalised.t()).dot(&normalised);
        self.sums_to_one(low_pass) + self.sums_to_one(paths) * settings.gamma
    }

    /// The scores divided by the mean magnitude of their row sums.
    fn sums_to_one(&self, scores: Array2<f64>) -> Array2<f64> {
        let sums = scores.sum_axis(Axis(1)).mapv(f64::abs);
        let known = self.history.sum_axis(Axis(1));
        let count = known.iter().filter(|&&degree| degree > 0.0).count();
        let sum: f64 = sums
            .iter()
            .zip(&known)
            .filter(|it| *it.1 > 0.0)
            .map(|it| it.0)
            .sum();
        scores * (count as f64 / sum)
    }

    fn item_knn(&self, settings: &ItemKnn) -> Array2<f64> {
        let count = self.item_degrees.len() as f64;
        let counts = self.history.mapv(|entry| f64::from(u8::from(entry > 0.0)));
        let counts = counts.sum_axis(Axis(1)).mapv(|count| count.max(1.0));
        let user_weights = counts.mapv(|degree| match settings.weighting {
            UserWeighting::None => 1.0,
            UserWeighting::TfIdf => (count / degree).ln().powi(2),
            UserWeighting::Bm25 => (1.0 + (count - degree + 0.5) / (degree + 0.5)).ln().powi(2),
        });
        let weighted = &self.history * &user_weights.insert_axis(Axis(1));
        let common = self.history.t().dot(&weighted);
        let weights = Array2::from_shape_fn(common.dim(), |(item, other)| {
            let (own, of_other) = (common[[item, item]], common[[other, other]]);
            let shared = common[[item, other]];
            let whole = match settings.similarity {
                Similarity::Cosine => (own * of_other).sqrt(),
                Similarity::Tversky => {
                    shared + settings.alpha * (own - shared) + settings.beta * (of_other - shared)
                }
            };
            match shared {
                0.0 => 0.0,
                shared => shared / (whole + settings.shrinkage),
            }
        });
        self.history.dot(&neighbours(weights, settings.neighbours))
    }

    fn family(&self, settings: &Family) -> Array2<f64> {
        let degrees = |of: &Array1<f64>| of.mapv(|degree| degree + settings.offset);
        let (users, items) = (degrees(&self.user_degrees), degrees(&self.item_degrees));
        let power = |of: &Array1<f64>, power: f64| of.mapv(|it| it.powf(power));
        let normalised = &self.history
            * &power(&users, -settings.users).insert_axis(Axis(1))
            * &power(&items, -settings.items);
        let propagation = normalised.t().dot(&normalised);
        let (eigenvalues, vectors) = jacobi(propagation.clone());
        let propagation = propagation / eigenvalues[0];
        let square = propagation.dot(&propagation);
        let filter = &propagation * (1.0 + settings.curvature) - square * settings.curvature;
        let walk = (&self.history * &power(&items, -settings.history)).dot(&filter)
            * &power(&items, settings.output);
        let kept = vectors.slice(s![.., ..settings.factor_dim]);
        let response: Array1<f64> = eigenvalues[..settings.factor_dim]
            .iter()
            .map(|value| {
                let share = (value / eigenvalues[0]).sqrt();
                match settings.response {
                    FrequencyResponse::Ideal => 1.0,
                    FrequencyResponse::Power => share.powf(settings.power),
                    FrequencyResponse::Plateau => 1.0 - (1.0 - share).powf(settings.power),
                }
            })
            .collect();
        let seen = (&self.history * &power(&items, -settings.low_pass_history)).dot(&kept);
        let low_pass = (seen * &response).dot(&kept.t()) * &power(&items, settings.low_pass_output);
        self.unit(walk) * (1.0 - settings.share) + self.unit(low_pass) * settings.share
    }

    /// The scores divided by the mean norm of the rows of users with interactions.
    fn unit(&self, scores: Array2<f64>) -> Array2<f64> {
        let norms = scores.rows().into_iter().map(|row| row.dot(&row).sqrt());
        let known: Vec<f64> = norms
            .zip(self.history.rows())
            .filter(|(_, row)| row.sum() > 0.0)
            .map(|(norm, _)| norm)
            .collect();
        let sum: f64 = known.iter().sum();
        match sum > 0.0 {
            true => scores * (known.len() as f64 / sum),
            false => scores,
        }
    }

    /// As in the authors' code: nodes from -1 to 1, and the basis as a list of matrices.
    fn cheby_cf(&self, settings: &ChebyCf) -> Array2<f64> {
        let pi = std::f64::consts::PI;
        let rounded = |value: f64| (value * 1e3).round() / 1e3;
        let (order, count) = (settings.order, settings.order as f64 + 1.0);
        let target: Vec<f64> = (0..=order)
            .map(|place| {
                let x = rounded(((order - place) as f64 / order as f64 * pi).cos());
                rounded(match x < 0.0 {
                    true => 0.5 * (-x).powf(settings.flatness) + 0.5,
                    false => -0.5 * x.powf(settings.flatness) + 0.5,
                })
            })
            .collect();
        let coefficient = |degree: usize| {
            let terms = target.iter().enumerate().map(|(place, value)| {
                let node = ((count + 0.5 - (place as f64 + 1.0)) / count * pi).cos();
                value * (degree as f64 * node.acos()).cos()
            });
            terms.sum::<f64>() * if degree == 0 { 1.0 } else { 2.0 } / count
        };
        let items = self.item_degrees.len();
        let laplacian = Array2::<f64>::eye(items) - self.propagation() * 2.0;
        let signal = self.normalised(0.0, settings.beta);
        let mut basis = vec![signal.clone(), signal.dot(&laplacian)];
        while basis.len() <= order {
            let next = basis[basis.len() - 1].dot(&laplacian) * 2.0 - &basis[basis.len() - 2];
            basis.push(next);
        }
        let mut scores = Array2::zeros(signal.dim());
        for (degree, point) in basis.iter().enumerate() {
            scores += &(point * coefficient(degree));
        }
        if settings.alpha > 0.0 {
            let projection = self.reference.projection(settings.factor_dim);
            scores += &(signal.dot(&projection) * settings.alpha);
        }
        scores * &self.item_degrees.mapv(|degree| degree.powf(settings.beta))
    }
}

/// The offset of a filter, and the filter without it. Returns `None` if the filter has no offset of the
/// degrees.
fn without_offset(config: &FilterConfig) -> Option<(f64, FilterConfig)> {
    let is_of_degrees = ["bspm", "gf-cf", "lgcn-ide", "link-prop", "cheby-cf"];
    let settings = config.settings();
    let offset = settings.iter().find(|setting| setting.name == "offset")?;
    let offset: f64 = offset.value.as_deref()?.parse().ok()?;
    let mut without = config.clone();
    without.set("offset", "0").ok()?;
    (offset > 0.0 && is_of_degrees.contains(&config.name())).then_some((offset, without))
}

/// The weights of a linear autoencoder, from the regularised Gram matrix: column `j` is the regression
/// of item `j` on its neighbours, all other items if their number is 0.
fn autoencoder(gram: Array2<f64>, neighbours: usize) -> Array2<f64> {
    let items = gram.nrows();
    let mut weights = Array2::zeros((items, items));
    for item in 0..items {
        let mut others: Vec<usize> = (0..items).filter(|&other| other != item).collect();
        if neighbours > 0 {
            let similarity = |other: usize| gram[[other, item]] / gram[[other, other]].sqrt();
            others.retain(|&other| gram[[other, item]] != 0.0);
            others.sort_by(|&left, &right| similarity(right).total_cmp(&similarity(left)));
            others.truncate(neighbours);
        }
        let part = gram.select(Axis(0), &others).select(Axis(1), &others);
        let right = gram.column(item).select(Axis(0), &others);
        for (&other, weight) in others.iter().zip(inverse(part).dot(&right)) {
            weights[[other, item]] = weight;
        }
    }
    weights
}

/// The largest off-diagonal entries of each row; of equal entries, those further left.
fn neighbours(mut weights: Array2<f64>, count: usize) -> Array2<f64> {
    weights.diag_mut().fill(0.0);
    for mut row in weights.rows_mut() {
        let mut order: Vec<usize> = (0..row.len()).collect();
        order.sort_by(|&left, &right| row[right].total_cmp(&row[left]));
        order.iter().skip(count).for_each(|&place| row[place] = 0.0);
    }
    weights
}

/// The inverse, by Gauss-Jordan elimination.
fn inverse(mut matrix: Array2<f64>) -> Array2<f64> {
    let size = matrix.nrows();
    let mut result = Array2::eye(size);
    for pivot in 0..size {
        let scale = matrix[[pivot, pivot]].recip();
        matrix.row_mut(pivot).mapv_inplace(|entry| entry * scale);
        result.row_mut(pivot).mapv_inplace(|entry| entry * scale);
        for row in (0..size).filter(|&row| row != pivot) {
            let factor = matrix[[row, pivot]];
            let (pivot_row, result_row) =
                (matrix.row(pivot).to_owned(), result.row(pivot).to_owned());
            matrix.row_mut(row).scaled_add(-factor, &pivot_row);
            result.row_mut(row).scaled_add(-factor, &result_row);
        }
    }
    result
}

/// Settings of every filter that cover each of its branches. `factor_dim` should be a number of singular
/// vectors with a clear gap after it in the spectrum.
pub fn filter_configs(factor_dim: usize) -> Vec<FilterConfig> {
    let turbo_cf = |alpha, power, filter| {
        TurboCf::published(Preset::Gowalla)
            .alpha(alpha)
            .power(power)
            .filter(filter)
            .memory_budget(1 << 20)
    };
    let cheby_cf = |order, flatness, alpha, beta| {
        ChebyCf::published(Preset::Gowalla)
            .order(order)
            .flatness(flatness)
            .factor_dim(factor_dim)
            .alpha(alpha)
            .beta(beta)
    };
    let link_prop = |beta, gamma, delta| {
        LinkProp::published(Preset::Gowalla)
            .beta(beta)
            .gamma(gamma)
            .delta(delta)
    };
    let knn = |neighbours, shrinkage| {
        ItemKnn::default()
            .neighbours(neighbours)
            .shrinkage(shrinkage)
    };
    let ease_r = |lambda, neighbours| {
        EaseR::published(Preset::Gowalla)
            .lambda(lambda)
            .neighbours(neighbours)
            .memory_budget(1 << 20)
    };
    let ease_dan = |lambda, alpha, beta, offset, neighbours| {
        EaseDan::published(Preset::Gowalla)
            .lambda(lambda)
            .alpha(alpha)
            .beta(beta)
            .offset(offset)
            .neighbours(neighbours)
            .memory_budget(1 << 20)
    };
    let sgfcf = |beta, epsilon, offset, gamma| {
        Sgfcf::published(Preset::Gowalla)
            .factor_dim(factor_dim)
            .beta(beta)
            .epsilon(epsilon)
            .offset(offset)
            .gamma(gamma)
    };
    let rp3beta = |alpha, beta, neighbours| {
        Rp3Beta::published(Preset::Gowalla)
            .alpha(alpha)
            .beta(beta)
            .neighbours(neighbours)
    };
    let family = Family::published(Preset::Gowalla)
        .users(0.5)
        .items(0.5)
        .offset(0.0)
        .history(0.3)
        .output(0.2)
        .curvature(0.0)
        .factor_dim(factor_dim)
        .share(0.3)
        .low_pass_history(0.5)
        .low_pass_output(0.4)
        .response(FrequencyResponse::Ideal)
        .power(1.5);
    let bspm = Preset::Gowalla.config().to_builder();
    let bspm = bspm.ideal_low_pass(factor_dim, 0.2);
    let bspm_with_offset = bspm.clone().offset(2.0).build();
    vec![
        bspm.build().expect("the settings are valid").into(),
        bspm_with_offset.expect("the settings are valid").into(),
        GfCf::published(Preset::Gowalla)
            .factor_dim(factor_dim)
            .alpha(0.3)
            .into(),
        GfCf::published(Preset::Gowalla)
            .factor_dim(factor_dim)
            .alpha(0.0)
            .into(),
        LgcnIde::published(Preset::Gowalla).layers(1).into(),
        LgcnIde::published(Preset::Gowalla).layers(3).into(),
        LgcnIde::published(Preset::Gowalla)
            .layers(2)
            .offset(2.0)
            .into(),
        link_prop(0.5, 0.5, 0.5).into(),
        link_prop(0.3, 1.2, -0.4).into(),
        link_prop(0.4, 0.6, 0.3).offset(3.0).into(),
        turbo_cf(0.6, 0.7, TurboFilter::Linear).into(),
        turbo_cf(0.6, 1.0, TurboFilter::SecondOrder).into(),
        turbo_cf(0.4, 1.0, TurboFilter::ThirdOrder).into(),
        turbo_cf(0.5, 1.4, TurboFilter::SecondOrder).into(),
        turbo_cf(0.5, 0.8, TurboFilter::ThirdOrder).into(),
        cheby_cf(8, 1.5, 0.2, 0.4).into(),
        cheby_cf(8, 10.0, 0.0, 0.0).into(),
        cheby_cf(1, 2.0, 0.5, 0.2).into(),
        cheby_cf(2, 2.0, 0.0, 0.1).into(),
        cheby_cf(4, 1.5, 0.3, 0.2).offset(1.5).into(),
        ease_r(5.0, 0).into(),
        ease_r(2.0, 6).into(),
        ease_dan(2.0, 0.7, 0.3, 0.0, 0).into(),
        ease_dan(0.5, 1.0, 0.0, 4.0, 0).into(),
        ease_dan(1.5, 0.8, 0.2, 3.0, 7).into(),
        ease_dan(0.5, 0.6, 0.0, 0.0, 1000).into(),
        SvdAe::published(Preset::Gowalla)
            .factor_dim(factor_dim)
            .into(),
        sgfcf(1.3, 0.34, 0.0, 1.6).into(),
        sgfcf(0.6, 0.5, 3.0, 0.2).into(),
        knn(4, 0.0).into(),
        knn(1000, 2.5).into(),
        knn(6, 0.3)
            .similarity(Similarity::Tversky)
            .alpha(0.4)
            .beta(0.7)
            .weighting(UserWeighting::TfIdf)
            .into(),
        knn(50, 0.0).weighting(UserWeighting::Bm25).into(),
        rp3beta(0.7, 0.5, 1000).into(),
        rp3beta(1.1, 0.3, 5).into(),
        family.clone().into(),
        family
            .clone()
            .users(0.34)
            .items(0.4)
            .offset(2.5)
            .curvature(0.6)
            .response(FrequencyResponse::Power)
            .into(),
        family
            .clone()
            .share(1.0)
            .response(FrequencyResponse::Plateau)
            .into(),
        family.clone().share(0.0).curvature(-0.4).into(),
        Mix::new([
            (0.7, family.into()),
            (0.2, rp3beta(0.7, 0.5, 9).into()),
            (0.1, Popularity::default().into()),
        ])
        .into(),
        Popularity::default().into(),
        Neighbours::new(
            GfCf::published(Preset::Gowalla)
                .factor_dim(factor_dim)
                .alpha(0.3),
            1000,
        )
        .into(),
    ]
}

/// Scores of a neighbour table with few entries are those of the rows of its filter.
pub fn neighbour_tables_keep_candidates_for_lists<B: Backend>(backend: &B) {
    const KEEP: usize = 6;
    let interactions = random_interactions(60, 45, 700, &mut random_source(21));
    let filter = GfCf::published(Preset::Gowalla).factor_dim(5).alpha(0.3);
    let fitted = FittedFilter::fit(backend.clone(), interactions.clone(), filter.clone()).unwrap();
    let items: Vec<[u32; 1]> = (0..45).map(|item| [item]).collect();
    let singles: Vec<History<'_>> = items.iter().map(|item| History::from(&item[..])).collect();
    let mut rows = to_f64(fitted.score_histories(&singles).unwrap().view());
    let common = rows.mean_axis(Axis(0)).expect("there are rows");
    for mut row in rows.rows_mut() {
        let share = &common * (row.dot(&common) / common.dot(&common));
        let left = &row - &share;
        let mut order: Vec<usize> = (0..row.len()).collect();
        let weight = |item: usize| left[item].abs() * common[item].abs().sqrt();
        order.sort_by(|&one, &other| weight(other).total_cmp(&weight(one)));
        row.assign(&share);
        order[..KEEP]
            .iter()
            .for_each(|&item| row[item] += left[item]);
    }
    let expected = Dense::new(interactions.clone()).history.dot(&rows);
    let table = Neighbours::new(filter, KEEP);
    let degrees = interactions.item_degrees();
    let table = FittedFilter::fit(backend.clone(), interactions, table).unwrap();
    let mut kept = [0; 45];
    for (item, _, _) in table.neighbour_rows().unwrap().entries() {
        kept[item as usize] += 1;
    }
    for (item, (kept, degree)) in kept.into_iter().zip(degrees).enumerate() {
        let is_right = if degree > 0 {
            kept == KEEP
        } else {
            kept <= KEEP
        };
        assert!(
            is_right,
            "item {item} of degree {degree} has {kept} entries"
        );
    }
    let users: Vec<u32> = (0..60).collect();
    let scores = to_f64(table.score(&users).unwrap().view());
    let largest = expected.fold(0.0_f64, |largest, it| largest.max(it.abs()));
    let error = (&scores - &expected).fold(0.0_f64, |error, it| error.max(it.abs())) / largest;
    assert!(error < 1e-5, "error {error:e}");
}

/// Scores, fold-in and contributions of every filter follow its definition, for a 0/1 matrix and for a
/// weighted matrix.
pub fn every_filter_follows_its_definition<B: Backend>(backend: &B) {
    let interactions = random_interactions(60, 45, 700, &mut random_source(21));
    let weighted = random_weights(&interactions, &mut random_source(22));
    for interactions in [interactions, weighted] {
        filters_of_follow_their_definition(backend, interactions);
    }
}

fn filters_of_follow_their_definition<B: Backend>(backend: &B, interactions: Interactions) {
    let dense = Dense::new(interactions);
    let factor_dim = (3..9)
        .max_by(|&left, &right| {
            dense
                .reference
                .gap_at(left)
                .total_cmp(&dense.reference.gap_at(right))
        })
        .expect("the range is not empty");
    let users: Vec<u32> = (0..60).collect();
    let mut names = Vec::new();
    for config in filter_configs(factor_dim) {
        let expected = dense.scores(&config);
        let fitted =
            FittedFilter::fit(backend.clone(), dense.interactions.clone(), config.clone()).unwrap();
        let scores = to_f64(fitted.score(&users).unwrap().view());
        let largest = expected.fold(0.0_f64, |largest, it| largest.max(it.abs()));
        let error = (&scores - &expected).fold(0.0_f64, |error, it| error.max(it.abs())) / largest;
        assert!(error < 2e-5, "{config:?}: error {error:e}");

        let history = dense.interactions.history_of(7);
        let (parts, of_none) = fitted.contributions(history, 5).unwrap();
        let sum = f64::from(of_none) + parts.iter().map(|&part| f64::from(part)).sum::<f64>();
        let error = (sum - expected[[7, 5]]).abs() / largest;
        assert!(
            error < 2e-5,
            "{config:?}: contributions are off by {error:e}"
        );
        let entries: Vec<([u32; 1], [f32; 1])> = history
            .entries()
            .map(|(item, weight)| ([item], [weight]))
            .collect();
        let singles = entries
            .iter()
            .map(|(item, weight)| History::from(item).weighted(weight).unwrap());
        let mut singles: Vec<History<'_>> = singles.collect();
        singles.push(History::EMPTY);
        let of_each = to_f64(fitted.score_histories(&singles).unwrap().view());
        let of_none_alone = of_each[[parts.len(), 5]];
        for (part, alone) in parts.iter().zip(of_each.column(5)) {
            let error = (f64::from(*part) - (alone - of_none_alone)).abs() / largest;
            assert!(error < 2e-5, "{config:?}: {part} is not what {alone} adds");
        }

        let (items, weights): (Vec<u32>, Vec<f32>) = {
            let mut entries: Vec<(u32, f32)> = history.entries().collect();
            entries.reverse();
            entries.into_iter().unzip()
        };
        let backwards = History::from(&items).weighted(&weights).unwrap();
        let folded_in = fitted
            .rank_histories(&[backwards], &RankOptions::top(10))
            .unwrap();
        let own = fitted.rank(&[7], &RankOptions::top(10)).unwrap();
        for (found, own) in folded_in.lists[0].iter().zip(&own.lists[0]) {
            let error = f64::from((found.score - own.score).abs());
            assert!(error <= 1e-5 * largest, "{config:?}: error {error:e}");
        }
        names.push(config.name());
    }
    for name in FilterConfig::NAMES {
        assert!(names.contains(name), "{name} was not checked");
    }
}

/// Filters of matrices without interactions, and with one interaction, return finite scores.
pub fn filters_of_next_to_nothing_are_harmless<B: Backend>(backend: &B) {
    for pairs in [&[][..], &[(1, 2)]] {
        let interactions = Interactions::from_pairs(3, 4, pairs.iter().copied()).unwrap();
        for config in filter_configs(1) {
            let fitted =
                FittedFilter::fit(backend.clone(), interactions.clone(), config.clone()).unwrap();
            let scores = fitted.score(&[0, 1, 2]).unwrap();
            assert!(scores.iter().all(|score| score.is_finite()), "{config:?}");
        }
    }
}

/// A random item graph, not symmetric, with empty rows.
fn item_graph(items: usize) -> (CsMatI<f32, u32>, Array2<f64>) {
    let dense = random_matrix(items, items, &mut random_source(5));
    let mut entries = TriMatI::new((items, items));
    let mut expected = Array2::zeros((items, items));
    for ((row, column), &value) in dense.indexed_iter() {
        if (row * 7 + column * 3) % 5 == 0 && row % 4 != 2 {
            entries.add_triplet(row, column, value);
            expected[[row, column]] = f64::from(value);
        }
    }
    (entries.to_csr(), expected)
}

/// Item graphs are returned unchanged, and their products with histories and matrices are correct.
pub fn item_graphs_match_the_dense_product<B: Backend>(backend: &B) {
    for (items, columns) in [(1, 1), (9, 5), (40, 1), (40, 33), (65, 70)] {
        let (sparse, dense) = item_graph(items);
        let parts = SparseParts::ItemGraph(Arc::new(sparse));
        let graph = backend.upload_sparse(parts).unwrap();
        assert_eq!(graph.shape(), (items, items));

        let values = random_matrix(items, columns, &mut random_source(6));
        let matrix = backend.upload(values.view()).unwrap();
        let mut out = backend.upload(values.view()).unwrap();
        let right = Operand::Dense(&matrix);
        for (direction, dense) in [
            (Direction::Transposed, dense.t()),
            (Direction::Forward, dense.view()),
        ] {
            backend
                .spmm(&graph, direction, right, Update::REPLACE, &mut out)
                .unwrap();
            let expected = dense.dot(&to_f64(values.view()));
            assert_close(backend, &out, &expected, 1e-5);
        }

        let lists: Vec<Vec<u32>> = (0..columns.min(3) as u32)
            .map(|column| {
                (0..items as u32)
                    .filter(|item| (item + column) % 3 == 0)
                    .collect()
            })
            .collect();
        let weights: Vec<f32> = (0..items).map(|item| 0.5 + item as f32 / 10.0).collect();
        let mut histories = Array2::zeros((items, columns));
        for (column, list) in lists.iter().enumerate() {
            for &item in list {
                histories[[item as usize, column]] = f64::from(weights[item as usize]);
            }
        }
        let lists: Vec<&[u32]> = lists.iter().map(Vec::as_slice).collect();
        let lists: Vec<History<'_>> = lists.iter().map(|&it| it.into()).collect();
        let uploaded = backend.upload_histories(&lists, &weights, columns).unwrap();
        let (right, update) = (Operand::Histories(&uploaded), Update::times(-1.5));
        backend
            .spmm(&graph, Direction::Transposed, right, update, &mut out)
            .unwrap();
        assert_close(backend, &out, &(dense.t().dot(&histories) * -1.5), 1e-5);
    }
}

/// The inverse of a matrix that is not positive definite after rounding errors in `f32`.
pub fn small_matrices_are_inverted_in_f64<B: Backend>(backend: &B) {
    let size = 300;
    let factor = random_matrix(size, size / 2, &mut random_source(9)).mapv(|it| (4.0 * it).round());
    let factor = to_f64(factor.view());
    // All entries are exact in `f32`.
    let matrix = factor.dot(&factor.t()) + Array2::<f64>::eye(size) / 64.0;
    let uploaded = backend.upload(matrix.mapv(|entry| entry as f32).view());
    let found = backend.invert_positive_definite(uploaded.unwrap()).unwrap();
    let found = to_f64(backend.download(&found).unwrap().view());
    let expected = inverse(matrix);
    let error = largest(&(found - &expected)) / largest(&expected);
    assert!(error < 1e-6, "{error:e}");
}

/// The inverse of a matrix that may be inverted in `f32`, times products with the matrix.
pub fn a_large_matrix_is_inverted<B: Backend>(backend: &B) {
    let (size, columns) = (MOST_ROWS_IN_F64 + 1, 3);
    // 2 I + U U^T, and U.
    let factor = to_f64(random_matrix(size, columns, &mut random_source(10)).view()) / 64.0;
    let matrix = factor.dot(&factor.t()) + Array2::<f64>::eye(size) * 2.0;
    let right = factor.dot(&factor.t().dot(&factor)) + &factor * 2.0;
    let upload = |matrix: &Array2<f64>| backend.upload(matrix.mapv(|it| it as f32).view());
    let inverse = backend.invert_positive_definite(upload(&matrix).unwrap());
    let right = upload(&right).unwrap();
    let mut found = backend.zeros(size, columns).unwrap();
    let operand = Operand::Dense(&right);
    backend
        .matmul(
            &inverse.unwrap(),
            false,
            operand,
            Update::REPLACE,
            &mut found,
        )
        .unwrap();
    let found = to_f64(backend.download(&found).unwrap().view());
    let error = largest(&(found - &factor)) / largest(&factor);
    assert!(error < 1e-4, "{error:e}");
}

/// The product of a matrix and its inverse is the identity, for sizes around those of blocks.
pub fn positive_definite_matrices_are_inverted<B: Backend>(backend: &B) {
    for size in [1, 2, 33, 256, 257, 530] {
        let factor = to_f64(random_matrix(size, size + 3, &mut random_source(8)).view());
        let matrix = factor.dot(&factor.t()) + Array2::<f64>::eye(size) * (size as f64 / 2.0);
        let rounded = matrix.mapv(|entry| entry as f32);
        let uploaded = backend.upload(rounded.view()).unwrap();
        let inverse = backend.invert_positive_definite(uploaded).unwrap();
        let inverse = to_f64(backend.download(&inverse).unwrap().view());
        let error = (inverse.dot(&to_f64(rounded.view())) - Array2::<f64>::eye(size))
            .fold(0.0_f64, |error, it| error.max(it.abs()));
        assert!(error < 1e-5, "{size}: {error:e}");
    }
    let indefinite = backend
        .upload(ndarray::arr2(&[[1.0, 2.0], [2.0, 1.0]]).view())
        .unwrap();
    assert!(backend.invert_positive_definite(indefinite).is_err());
}
