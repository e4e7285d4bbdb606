//! Pillow's resampling filters (libImaging/Resample.c), in float64 and in its order of operations.

use std::f64::consts::PI;

use crate::named::named;

named! {
    /// A resampling filter, by Pillow's name.
    ///
    /// ```
    /// assert_eq!(clipprep::Filter::Bicubic.name(), "bicubic");
    /// ```
    pub enum Filter {
        /// The nearest source pixel, without antialiasing.
        Nearest = "nearest",
        /// The source pixel that holds the top left corner of an output pixel: torch's "nearest".
        NearestFloor = "nearest-floor",
        /// Box, support 0.5.
        Box = "box",
        /// Triangle, support 1.
        Bilinear = "bilinear",
        /// Hamming-windowed sinc, support 1.
        Hamming = "hamming",
        /// Cubic convolution with a = -0.5, support 2.
        Bicubic = "bicubic",
        /// Lanczos-windowed sinc, support 3.
        Lanczos = "lanczos",
    }
}

/// How a product that is added is rounded: compilers fuse the two operations where the processor can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Products {
    /// Before it is added.
    Rounded,
    /// With the sum, once.
    Fused,
}

impl Products {
    /// `a * b + c`.
    #[inline]
    pub fn sum(self, a: f64, b: f64, c: f64) -> f64 {
        match self {
            Self::Rounded => a * b + c,
            Self::Fused => a.mul_add(b, c),
        }
    }
}

impl Filter {
    /// Whether pixels are copied.
    pub(crate) fn is_nearest(self) -> bool {
        matches!(self, Self::Nearest | Self::NearestFloor)
    }

    /// Half the width of the filter in source pixels at scale 1.
    pub(crate) fn support(self) -> f64 {
        match self {
            Self::Nearest | Self::NearestFloor => unreachable!("nearest has no support: it copies pixels"),
            Self::Box => 0.5,
            Self::Bilinear | Self::Hamming => 1.0,
            Self::Bicubic => 2.0,
            Self::Lanczos => 3.0,
        }
    }

    /// Appends the filter's value at each `x`.
    pub(crate) fn extend(self, values: &mut Vec<f64>, products: Products, x: impl Iterator<Item = f64>) {
        match (self, products) {
            // The one that matters most, decided outside the loop.
            (Self::Bicubic, Products::Rounded) => {
                values.extend(x.map(|x| Self::Bicubic.at(x, Products::Rounded)));
            }
            _ => values.extend(x.map(|x| self.at(x, products))),
        }
    }

    /// The filter's value at `x`.
    #[inline]
    pub(crate) fn at(self, x: f64, products: Products) -> f64 {
        let sum = |a, b, c| products.sum(a, b, c);
        match self {
            Self::Nearest | Self::NearestFloor => unreachable!("nearest has no weights: it copies pixels"),
            Self::Box => f64::from(x > -0.5 && x <= 0.5),
            Self::Bilinear => {
                let x = x.abs();
                if x < 1.0 { 1.0 - x } else { 0.0 }
            }
            Self::Hamming => {
                let x = x.abs();
                if x == 0.0 {
                    1.0
                } else if x >= 1.0 {
                    0.0
                } else {
                    let x = x * PI;
                    // The two constants are float32 in Pillow.
                    x.sin() / x * sum(f64::from(0.46_f32), x.cos(), f64::from(0.54_f32))
                }
            }
            Self::Bicubic => {
                let x = x.abs();
                // Without a branch, so that the compiler computes several at once.
                let near = sum(sum(1.5, x, -2.5) * x, x, 1.0);
                let far = sum(sum(x - 5.0, x, 8.0), x, -4.0) * -0.5;
                let beyond_one = if x < 2.0 { far } else { 0.0 };
                if x < 1.0 { near } else { beyond_one }
            }
            Self::Lanczos => {
                if (-3.0..3.0).contains(&x) {
                    sinc(x) * sinc(x / 3.0)
                } else {
                    0.0
                }
            }
        }
    }
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 {
        1.0
    } else {
        let x = x * PI;
        x.sin() / x
    }
}
