//! The factors of the transforms, as the instructions take them.

use super::idct::constant::*;

/// Two 16-bit factors, as a multiplication that adds neighbours takes them.
pub const fn pair(even: i32, odd: i32) -> i32 {
    (even & 0xffff) | odd << 16
}

/// Pairs of factors for the even and for the odd part of the inverse DCT.
pub const EVEN: [i32; 2] = [pair(F_0_541 + F_0_765, F_0_541), pair(F_0_541, F_0_541 - F_1_847)];
pub const ODD_SUMS: [i32; 2] = [pair(F_1_175 - F_1_961, F_1_175), pair(F_1_175, F_1_175 - F_0_390)];
pub const ODD: [i32; 4] = [
    pair(-F_0_899, F_1_501 - F_0_899),
    pair(-F_2_562, F_3_072 - F_2_562),
    pair(F_2_053 - F_2_562, -F_2_562),
    pair(F_0_298 - F_0_899, -F_0_899),
];
/// The same where the last four are zero, of the fourth and the second.
pub const ODD_OF_QUARTER: [i32; 4] = [
    pair(F_1_175, F_1_175 - F_0_390 + F_1_501 - F_0_899),
    pair(F_1_175 - F_1_961 + F_3_072 - F_2_562, F_1_175),
    pair(F_1_175 - F_2_562, F_1_175 - F_0_390),
    pair(F_1_175 - F_1_961, F_1_175 - F_0_899),
];

/// The same for four samples: the even part, and the odd parts of the outer and the inner samples.
pub const FOUR_EVEN: i32 = pair(F_1_847, -F_0_765);
pub const FOUR_OUTER: [i32; 2] = [pair(7373, 20995), pair(-4176, -4926)];
pub const FOUR_INNER: [i32; 2] = [pair(-17799, 8697), pair(-1730, 11893)];

/// The same for two samples.
pub const TWO_ODD: [i32; 2] = [pair(29692, -10426), pair(6967, -5906)];
