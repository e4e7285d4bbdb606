//! The decoder of LZW against `weezl`, and against strings that are stored.

use proptest::prelude::*;
use weezl::{BitOrder, LzwStatus, decode, encode};

use super::*;

fn encoded(data: &[u8], literal_bits: u8, tiff: bool) -> Vec<u8> {
    let mut encoder = if tiff {
        encode::Encoder::with_tiff_size_switch(BitOrder::Msb, 8)
    } else {
        encode::Encoder::new(BitOrder::Lsb, literal_bits)
    };
    encoder.encode(data).expect("an encoder takes all data")
}

/// The result of a stream that arrives in pieces of these lengths.
fn decoded(stream: &[u8], len: usize, literal_bits: u8, tiff: bool, piece: usize) -> (Progress, Vec<u8>) {
    let mut output = Output::new(vec![0xaa; len + Output::EXTRA]);
    let mut decoder = if tiff { Decoder::tiff() } else { Decoder::gif(literal_bits) };
    let mut progress = Progress::NeedsInput;
    for piece in stream.chunks(piece) {
        progress = decoder.run(piece, &mut output);
        if progress != Progress::NeedsInput {
            break;
        }
    }
    let done = len - output.missing();
    (progress, output.bytes()[..done].to_vec())
}

/// The same by `weezl`.
fn by_weezl(stream: &[u8], len: usize, literal_bits: u8) -> (Progress, Vec<u8>) {
    let mut decoder = decode::Decoder::new(BitOrder::Lsb, literal_bits);
    let mut bytes = vec![0; len];
    let (mut rest, mut done) = (stream, 0);
    let progress = loop {
        let step = decoder.decode_bytes(rest, &mut bytes[done..]);
        rest = &rest[step.consumed_in..];
        done += step.consumed_out;
        match step.status {
            // It looks one code further than the last byte that is wanted.
            _ if done == len => break Progress::Full,
            Ok(LzwStatus::Done) => break Progress::EndCode,
            Ok(LzwStatus::NoProgress) => break Progress::NeedsInput,
            // It may have taken a clear code from the bits that it held, and no byte.
            Ok(LzwStatus::Ok) => {}
            Err(_) => break Progress::BadCode,
        }
    };
    bytes.truncate(done);
    (progress, bytes)
}

/// A stream of codes that are all defined where they stand, also in a full table, and what they stand for.
fn chosen(choices: &[u16], literal_bits: u8, tiff: bool, clear_every: usize) -> (Vec<u8>, Vec<u8>) {
    let clear = 1_usize << literal_bits;
    let (mut stream, mut data) = (Vec::new(), Vec::new());
    let (mut bits, mut count) = (0_u32, 0);
    let mut put = |code: usize, width: u32| {
        bits = if tiff { bits << width | code as u32 } else { bits | (code as u32) << count };
        count += width;
        while count >= 8 {
            count -= 8;
            stream.push(if tiff { bits >> count } else { bits } as u8);
            bits >>= if tiff { 0 } else { 8 };
        }
    };
    let mut strings: Vec<Vec<u8>> = (0..=u8::MAX).take(clear).map(|byte| vec![byte]).collect();
    strings.resize(clear + 2, Vec::new());
    let mut width = u32::from(literal_bits) + 1;
    let mut previous: Option<Vec<u8>> = None;
    for (i, &choice) in choices.iter().enumerate() {
        if i % clear_every == 0 || tiff && strings.len() == CODES {
            put(clear, width);
            strings.truncate(clear + 2);
            (width, previous) = (u32::from(literal_bits) + 1, None);
        }
        let has_next = previous.is_some() && strings.len() < CODES;
        let code = usize::from(choice) % (strings.len() + usize::from(has_next));
        let code = if code & !1 == clear { code - clear } else { code };
        put(code, width);
        let longer = |byte: u8| previous.iter().flatten().copied().chain([byte]).collect::<Vec<u8>>();
        let string = strings.get(code).cloned().unwrap_or_else(|| longer(longer(0)[0]));
        if has_next {
            strings.push(longer(string[0]));
            width += u32::from(width < 12 && strings.len() + usize::from(tiff) == 1 << width);
        }
        data.extend_from_slice(&string);
        previous = Some(string);
    }
    put(0, 7);
    (stream, data)
}

/// Bytes of `literal_bits` bits that have runs and repeats of all lengths.
fn samples(literal_bits: u8) -> impl Strategy<Value = Vec<u8>> {
    let max = u8::MAX >> (8 - literal_bits);
    let run = (0..=max, 1..600_usize).prop_map(|(byte, len)| vec![byte; len]);
    let noise = prop::collection::vec(0..=max, 1..400);
    let repeat = (prop::collection::vec(0..=max, 1..8), 1..90_usize).prop_map(|(unit, n)| unit.repeat(n));
    prop::collection::vec(prop_oneof![run, noise, repeat], 1..40).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn decodes_whatever_was_encoded(
        (literal_bits, data) in (2..=8_u8).prop_flat_map(|bits| (Just(bits), samples(bits))),
        piece in 1..300_usize,
    ) {
        for tiff in [false, true] {
            let stream = encoded(&data, literal_bits, tiff);
            let (progress, bytes) = decoded(&stream, data.len(), literal_bits, tiff, piece);
            prop_assert_eq!(progress, Progress::Full);
            prop_assert_eq!(&bytes, &data);
            let (progress, bytes) = decoded(&stream, data.len() + 1, literal_bits, tiff, piece);
            prop_assert_eq!(progress, Progress::EndCode);
            prop_assert_eq!(&bytes, &data);
        }
    }

    #[test]
    fn treats_damaged_codes_of_gif_as_weezl_does(
        (literal_bits, data) in (2..=8_u8).prop_flat_map(|bits| (Just(bits), samples(bits))),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        piece in 1..300_usize,
    ) {
        let mut stream = encoded(&data, literal_bits, false);
        for (at, byte) in damage {
            let at = at.index(stream.len());
            stream[at] = byte;
        }
        let ours = decoded(&stream, data.len(), literal_bits, false, piece);
        let theirs = by_weezl(&stream, data.len(), literal_bits);
        prop_assert_eq!(ours.0, theirs.0);
        // It does not hand out the bytes that it has decoded before a bad code.
        if ours.0 != Progress::BadCode {
            prop_assert_eq!(ours.1, theirs.1);
        }
    }

    #[test]
    fn follows_any_run_of_codes(
        choices in prop::collection::vec(any::<u16>(), 1..6000),
        literal_bits in 2..=8_u8,
        clear_every in 3000..9000_usize,
        piece in 1..300_usize,
    ) {
        for (tiff, bits) in [(false, literal_bits), (true, 8)] {
            let (stream, data) = chosen(&choices, bits, tiff, clear_every);
            let wanted = data.len().min(60_000);
            let (progress, bytes) = decoded(&stream, wanted, bits, tiff, piece);
            prop_assert_eq!(progress, Progress::Full);
            prop_assert!(bytes == data[..wanted], "other bytes");
        }
    }

    #[test]
    fn survives_any_codes(stream in prop::collection::vec(any::<u8>(), 0..9000), literal_bits in 1..=8_u8) {
        for tiff in [false, true] {
            decoded(&stream, 20_000, literal_bits, tiff, 255);
        }
    }
}

#[test]
fn a_tiff_begins_with_a_clear_code() {
    let stream = encoded(b"abcabcabc", 8, true);
    assert_eq!(decoded(&stream, 9, 8, true, 99).0, Progress::Full);
    // Of the first code, which is 256, a bit is taken.
    let literal = [&[stream[0] & 0x7f], &stream[1..]].concat();
    assert_eq!(decoded(&literal, 9, 8, true, 99).0, Progress::BadCode);
}

#[test]
fn codes_of_one_bit_never_grow() {
    // As in Pillow: with two literals the first free code, 4, needs three bits already.
    let (progress, bytes) = decoded(&[0b01_00_01_00, 0b11_01_00_01], 9, 1, false, 1);
    assert_eq!((progress, bytes), (Progress::EndCode, vec![0, 1, 0, 1, 1, 0, 1]));
}
