//! Weights in parts that the processors' multiplications take.

/// `weight = (high << 16) + low`.
pub(super) fn halves(weight: i32) -> (i16, i16) {
    let high = (weight + (1 << 15)) >> 16;
    let low = weight - (high << 16);
    (high as i16, low as i16)
}

/// `weight = (a << 16) + (b << 8) + c` for the bytes `[a, b, c]`; `None` for a weight of 2^23 or so and more.
pub(super) fn bytes(weight: i32) -> Option<[i8; 3]> {
    let c = weight as i8;
    let rest = (weight - i32::from(c)) >> 8;
    let b = rest as i8;
    let a = i8::try_from((rest - i32::from(b)) >> 8).ok()?;
    Some([a, b, c])
}

/// The same for the weights of four taps: the word of each limb, whose bytes are the taps' in their order.
#[cfg(target_arch = "x86_64")]
pub(super) fn words(weights: [i32; 4]) -> Option<[i32; 3]> {
    let mut words = [[0; 4]; 3];
    for (tap, weight) in weights.into_iter().enumerate() {
        for (word, part) in words.iter_mut().zip(bytes(weight)?) {
            word[tap] = part as u8;
        }
    }
    Some(words.map(i32::from_le_bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_to_the_weight() {
        let near = |value: i32| (value - 300..=value + 300).step_by(7);
        for weight in (0..23).flat_map(|bit| near(1 << bit).chain(near(-(1 << bit)))) {
            let (high, low) = halves(weight);
            assert_eq!((i32::from(high) << 16) + i32::from(low), weight);
            let sum = |[a, b, c]: [i8; 3]| (i32::from(a) << 16) + (i32::from(b) << 8) + i32::from(c);
            assert!(bytes(weight).is_none_or(|parts| sum(parts) == weight));
            assert!(bytes(weight).is_some() || weight.abs() > 127 << 16);
        }
    }
}
