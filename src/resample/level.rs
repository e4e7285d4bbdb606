//! Which instruction set the kernels use.

use std::sync::OnceLock;

/// An instruction set level, each one including those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Plain Rust.
    Scalar,
    /// AVX2 (x86-64).
    Avx2,
    /// AVX-512 with BW, VBMI and VNNI (x86-64).
    Avx512,
}

impl Level {
    /// All levels with their names.
    pub const ALL: [(&'static str, Level); 3] =
        [("scalar", Self::Scalar), ("avx2", Self::Avx2), ("avx512", Self::Avx512)];

    /// The level in use: the best that this processor has, or a lower one named by the
    /// environment variable `CLIPPREP_SIMD` when the process first asked.
    pub fn active() -> Self {
        static ACTIVE: OnceLock<Level> = OnceLock::new();
        *ACTIVE.get_or_init(|| {
            let best = Self::supported().last().copied().unwrap_or(Self::Scalar);
            let wanted = std::env::var("CLIPPREP_SIMD").ok();
            let named = Self::ALL.iter().find(|(name, _)| Some(*name) == wanted.as_deref());
            named.map_or(best, |&(_, level)| level.min(best))
        })
    }

    /// The levels that this processor has, lowest first.
    pub fn supported() -> Vec<Self> {
        let mut levels = vec![Self::Scalar];
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            levels.push(Self::Avx2);
            if super::avx512::Avx512::new().is_some() {
                levels.push(Self::Avx512);
            }
        }
        levels
    }

    /// The name of the level.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, known)| *known == self).expect("every level is listed").0
    }
}
