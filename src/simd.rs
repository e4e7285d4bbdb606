//! Instruction sets: those this crate has kernels for, those the processor has, and the one in use.
//!
//! [`Level`] is a table with one row per instruction set. Every family of kernels (both resampling
//! passes, normalising, a decoder's inner loops) picks its implementation with [`best!`], which gives
//! it a proof value that the processor has the instructions.
//!
//! # How to add a kernel
//!
//! Write it in a file of its own in the room of its family, named after the level. Its constructor
//! takes the level's proof (`Avx2`, `Avx512`, `Neon`), which nothing but this module can make, and
//! the value keeps it: the `unsafe` call of a `#[target_feature]` function is then sound, because the
//! value exists. Enable only features that the level's row names. Then add a line to the `best!` of
//! the family:
//!
//! ```text
//! // unfilter/mod.rs
//! fn unfilter(level: Level) -> Box<dyn Unfilter> {
//!     best! { level;
//!         "x86_64" Avx2 => |proof| Some(Box::new(avx2::Unfilter::new(proof)) as Box<dyn Unfilter>),
//!         _ => Box::new(scalar::Unfilter),
//!     }
//! }
//!
//! // unfilter/avx2.rs
//! pub struct Unfilter {
//!     _proof: Avx2,
//! }
//!
//! impl super::Unfilter for Unfilter {
//!     fn run(&self, row: &mut [u8]) {
//!         // SAFETY: `_proof` shows that the processor has AVX2.
//!         unsafe { paeth(row) }
//!     }
//! }
//!
//! #[target_feature(enable = "avx2")]
//! fn paeth(row: &mut [u8]) { .. }
//! ```
//!
//! Test it against the scalar kernel at each level of [`levels_to_test`], so that a level that the
//! processor lacks is reported as skipped.
//!
//! # How to add an instruction set
//!
//! Add a row to the table below, then one kernel file for each family that gains from it.

use std::sync::OnceLock;

macro_rules! levels {
    ($($architecture:literal, detected by $detect:ident: {$(
        $(#[$doc:meta])*
        $level:ident = $name:literal, includes $lower:ident, needs $($feature:tt),+;
    )+})+) => {
        /// An instruction set that kernels are written in.
        ///
        /// All levels exist on every architecture, so that they can be named anywhere; those of another
        /// architecture are never supported.
        ///
        /// ```
        /// use clipprep::Level;
        ///
        /// let level = Level::active();
        /// assert!(Level::supported().contains(&level));
        /// assert!(level.includes(Level::Scalar));
        /// println!("{} kernels", level.name());
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Level {
            /// Plain Rust, on any processor.
            Scalar,
            $($($(#[$doc])* $level,)+)+
        }

        const TABLE: &[Row] = &[
            Row {
                level: Level::Scalar,
                name: "scalar",
                architecture: None,
                includes: None,
                needs: &[],
                detected: || true,
            },
            $($(Row {
                level: Level::$level,
                name: $name,
                architecture: Some($architecture),
                includes: Some(Level::$lower),
                needs: &[$($feature),+],
                detected: || {
                    let has = false;
                    #[cfg(target_arch = $architecture)]
                    let has = has || ($(std::arch::$detect!($feature))&&+);
                    has
                },
            },)+)+
        ];

        $($(
            #[doc = concat!("Proof that the processor has what level `", $name, "` needs.")]
            #[cfg(target_arch = $architecture)]
            #[derive(Clone, Copy, Debug)]
            pub(crate) struct $level(());

            #[cfg(target_arch = $architecture)]
            impl $level {
                /// The proof, if the level in use includes this one and the processor has it.
                pub fn of(level: Level) -> Option<Self> {
                    (level.includes(Level::$level) && Level::$level.is_supported()).then_some(Self(()))
                }
            }
        )+)+
    };
}

levels! {
    "x86_64", detected by is_x86_feature_detected: {
        /// AVX2, with the other instructions that processors brought with it.
        Avx2 = "avx2", includes Scalar, needs "avx2", "fma", "f16c", "bmi2";
        /// AVX-512 with BW, VBMI and VNNI.
        Avx512 = "avx512", includes Avx2, needs "avx512f", "avx512bw", "avx512vbmi", "avx512vnni";
    }
    "aarch64", detected by is_aarch64_feature_detected: {
        /// Advanced SIMD, which every 64-bit ARM processor has.
        Neon = "neon", includes Scalar, needs "neon";
        /// NEON with products of four bytes (most processors from 2018 on).
        NeonDotprod = "neon-dotprod", includes Neon, needs "neon", "dotprod";
        /// The same with bytes of which one has a sign (most processors from 2021 on).
        NeonI8mm = "neon-i8mm", includes NeonDotprod, needs "neon", "dotprod", "i8mm";
    }
}

struct Row {
    level: Level,
    name: &'static str,
    /// As in `target_arch`; `None` for any.
    architecture: Option<&'static str>,
    /// The next lower level, which every processor of this level has.
    includes: Option<Level>,
    needs: &'static [&'static str],
    /// Whether the processor has the features.
    detected: fn() -> bool,
}

impl Default for Level {
    /// The level in use.
    fn default() -> Self {
        Self::active()
    }
}

impl Level {
    fn row(self) -> &'static Row {
        TABLE.iter().find(|row| row.level == self).expect("every level has a row")
    }

    /// The name of the level, which `CLIPPREP_SIMD` and `build_info()` use.
    ///
    /// ```
    /// assert_eq!(clipprep::Level::NeonDotprod.name(), "neon-dotprod");
    /// ```
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The features that the processor must have, by Rust's names.
    ///
    /// ```
    /// assert!(clipprep::Level::Avx512.needs().contains(&"avx512vnni"));
    /// ```
    pub fn needs(self) -> &'static [&'static str] {
        self.row().needs
    }

    /// Whether a processor of this level has the instructions of `other` too.
    ///
    /// ```
    /// use clipprep::Level;
    ///
    /// assert!(Level::Avx512.includes(Level::Avx2) && !Level::Avx512.includes(Level::Neon));
    /// ```
    pub fn includes(self, other: Level) -> bool {
        self == other || self.row().includes.is_some_and(|lower| lower.includes(other))
    }

    /// Whether this processor has the level and those that it includes.
    ///
    /// ```
    /// assert!(clipprep::Level::Scalar.is_supported());
    /// ```
    pub fn is_supported(self) -> bool {
        let row = self.row();
        (row.detected)() && row.includes.is_none_or(Self::is_supported)
    }

    /// The levels that this processor has, lowest first.
    ///
    /// ```
    /// assert_eq!(clipprep::Level::supported()[0], clipprep::Level::Scalar);
    /// ```
    pub fn supported() -> Vec<Self> {
        TABLE.iter().map(|row| row.level).filter(|level| level.is_supported()).collect()
    }

    /// The level in use: the best that this processor has, or a lower one named by the
    /// environment variable `CLIPPREP_SIMD` when the process first asked.
    ///
    /// ```
    /// println!("{} kernels", clipprep::Level::active().name());
    /// ```
    pub fn active() -> Self {
        static ACTIVE: OnceLock<Level> = OnceLock::new();
        *ACTIVE.get_or_init(|| Self::chosen(std::env::var("CLIPPREP_SIMD").ok().as_deref()))
    }

    /// The level of that name, or the next lower one that this processor has; the best one where the
    /// name is of no level of this architecture.
    fn chosen(name: Option<&str>) -> Self {
        let known = |row: &&Row| {
            Some(row.name) == name && row.architecture.is_none_or(|name| name == std::env::consts::ARCH)
        };
        let best = *Self::supported().last().expect("the scalar level is always supported");
        let mut level = TABLE.iter().find(known).map_or(best, |row| row.level);
        while !level.is_supported() {
            level = level.row().includes.expect("the scalar level is always supported");
        }
        level
    }
}

/// The best implementation for the level in use. See the module's documentation for an example.
///
/// The first line gives the level. Each line after it names an architecture, a level of it, and a
/// function of the level's proof that returns `None` where its kernel does not take the work; write
/// the highest level first. The last line is the implementation in plain Rust.
macro_rules! best {
    ($level:expr; $($architecture:literal $proof:ident => $make:expr,)+ _ => $scalar:expr $(,)?) => {{
        let level: $crate::simd::Level = $level;
        let found = None;
        $(
            #[cfg(target_arch = $architecture)]
            let found = found.or_else(|| $crate::simd::$proof::of(level).and_then($make));
        )+
        let _ = level;
        // A match, through which the type that is expected reaches a closure.
        match found {
            Some(found) => found,
            None => $scalar,
        }
    }};
}
pub(crate) use best;

/// The levels to compare with the scalar one: those that this processor has. The others of its
/// architecture are reported on standard error as skipped, once per test, past the test harness,
/// which would keep the words of a test that passes to itself.
#[cfg(test)]
pub(crate) fn levels_to_test() -> Vec<Level> {
    use std::collections::BTreeSet;
    use std::io::Write;
    use std::sync::Mutex;

    static REPORTED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let own = |row: &&Row| row.architecture == Some(std::env::consts::ARCH);
    for row in TABLE.iter().filter(own).filter(|row| !row.level.is_supported()) {
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        let report = format!(
            "skipped: {test} at level {}: this processor lacks one of {}",
            row.name,
            row.needs.join(", ")
        );
        if REPORTED.lock().expect("no panic while reporting").insert(report.clone()) {
            let _ = writeln!(std::io::stderr(), "{report}");
        }
    }
    Level::supported()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_chooses_a_level_that_the_processor_has() {
        let supported = Level::supported();
        let best = supported[supported.len() - 1];
        for row in TABLE {
            let chosen = Level::chosen(Some(row.name));
            assert!(chosen.is_supported(), "{}", row.name);
            if row.level.is_supported() {
                assert_eq!(chosen, row.level);
            } else if row.architecture == Some(std::env::consts::ARCH) {
                assert!(row.level.includes(chosen), "{} is replaced by a level it includes", row.name);
            } else {
                assert_eq!(chosen, best, "{} is not of this architecture", row.name);
            }
        }
        assert_eq!(Level::chosen(None), best);
        assert_eq!(Level::chosen(Some("no such level")), best);
    }

    #[test]
    fn levels_of_one_architecture_are_an_order_with_scalar_at_its_bottom() {
        for (i, row) in TABLE.iter().enumerate() {
            assert!(row.level.includes(Level::Scalar) && row.level.includes(row.level));
            assert_eq!(TABLE.iter().position(|other| other.name == row.name), Some(i), "names differ");
            if let Some(lower) = row.includes {
                assert!(!lower.includes(row.level));
                assert!([None, row.architecture].contains(&lower.row().architecture));
                let lower = TABLE.iter().position(|other| other.level == lower);
                assert!(lower < Some(i), "lower levels come first");
            }
        }
        assert!(!Level::Avx512.includes(Level::Neon) && !Level::Neon.includes(Level::Avx2));
    }

    /// Every proof stands for features of its own row only.
    #[cfg(target_arch = "x86_64")]
    #[test]
    fn a_proof_needs_both_the_level_and_the_processor() {
        assert!(Avx2::of(Level::Scalar).is_none() && Avx512::of(Level::Avx2).is_none());
        assert!(Avx2::of(Level::Neon).is_none());
        assert_eq!(Avx2::of(Level::Avx512).is_some(), Level::Avx2.is_supported());
        assert_eq!(Avx512::of(Level::Avx512).is_some(), Level::Avx512.is_supported());
    }

    #[test]
    fn the_first_that_takes_the_work_is_picked() {
        let pick = |level| {
            best! { level;
                "x86_64" Avx512 => |_| None,
                "x86_64" Avx2 => |_| Some("avx2"),
                "aarch64" Neon => |_| Some("neon"),
                _ => "scalar",
            }
        };
        assert_eq!(pick(Level::Scalar), "scalar");
        for level in levels_to_test() {
            let with_work = [Level::Avx2, Level::Neon].into_iter().find(|lower| level.includes(*lower));
            assert_eq!(pick(level), with_work.map_or("scalar", Level::name));
        }
    }
}
