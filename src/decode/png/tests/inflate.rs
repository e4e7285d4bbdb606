//! The inflater here against `fdeflate`.

use proptest::prelude::*;

use super::{Packing, bare, chunks_of, damage, packed, packings, pictures};
use crate::decode::png::inflate::{BEYOND, Fault, Inflater, State, Unit, WINDOW};

/// What is inflated, and the places in bits, and in that, where blocks begin.
type Found<U> = Result<(Vec<U>, Vec<(u64, usize)>), Fault>;

/// All that is inflated from where `inflater` stands, after `before`.
fn inflated<U: Unit + Default>(
    inflater: &mut Inflater<'_>,
    before: Vec<U>,
    limit: usize,
    most: usize,
) -> Found<U> {
    let (mut out, mut end, mut heads) = (before, 0, Vec::new());
    end += out.len();
    while inflater.state() != State::Over {
        if inflater.state() == State::Head {
            heads.push((inflater.position(), end));
        }
        out.resize(end + limit + BEYOND, U::default());
        end = inflater.inflate(&mut out, end, end + limit)?;
        if end > most {
            return Err(Fault);
        }
    }
    out.truncate(end);
    Ok((out, heads))
}

/// The same of a whole stream, with its checksum right.
fn from_the_beginning(bare: &[u8], limit: usize, most: usize) -> Found<u8> {
    let mut inflater = Inflater::new(chunks_of(bare));
    inflater.begin()?;
    let found = inflated(&mut inflater, Vec::new(), limit, most)?;
    let mut checksum = simd_adler32::Adler32::new();
    checksum.write(&found.0);
    if inflater.checksum()? == checksum.finish() { Ok(found) } else { Err(Fault) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn gives_what_was_packed(
        picture in pictures(1..400, 1..300),
        packing in packings(),
        limit in prop_oneof![1..300_usize, 300..100_000_usize],
    ) {
        let data = picture.data();
        let bare = bare(&packed(&data, packing), packing.chunk);
        let (found, heads) = from_the_beginning(&bare, limit, data.len()).expect("sound data");
        prop_assert!(found == data);
        // And so from each place where a block begins, when what it repeats of the bytes before is filled in.
        for &(place, start) in heads.iter().skip(1).step_by(heads.len().div_ceil(4)) {
            let mut inflater = Inflater::new(chunks_of(&bare));
            inflater.begin().expect("a head");
            let mut passed = vec![0_u8; data.len() + BEYOND];
            let mut end = 0;
            while inflater.position() < place {
                end = inflater.inflate(&mut passed, end, data.len()).expect("sound data");
            }
            let unknown = (256..256 + WINDOW as u16).collect();
            let (units, _) = inflated::<u16>(&mut inflater, unknown, limit, usize::MAX).expect("sound data");
            let known = |unit: u16| match unit {
                0..256 => unit as u8,
                _ => data[start + (unit as usize - 256) - WINDOW],
            };
            prop_assert!(units[WINDOW..].iter().map(|&unit| known(unit)).eq(data[start..].iter().copied()));
        }
    }

    /// What it takes of damaged data is what the other one does; it may refuse more.
    #[test]
    fn takes_nothing_that_fdeflate_refuses(
        picture in pictures(1..200, 1..100),
        packing in packings(),
        damages in prop::collection::vec((any::<prop::sample::Index>(), 0..270_u16), 1..4),
        mended in any::<bool>(),
    ) {
        let data = picture.data();
        let mut packed = packed(&data, packing);
        let checksum = packed.split_off(packed.len() - 4);
        damages.into_iter().for_each(|(at, how)| damage(&mut packed, at, how));
        packed.extend_from_slice(&checksum);
        let limit = 1 << 24;
        if mended {
            // With the checksum of what comes of them, so that it hides nothing.
            let bare = bare(&packed, packing.chunk);
            let mut inflater = Inflater::new(chunks_of(&bare));
            if let Ok((found, _)) = inflater.begin().and_then(|()| inflated::<u8>(&mut inflater, Vec::new(), 5000, limit)) {
                let end = (inflater.position() as usize).div_ceil(8);
                let mut sum = simd_adler32::Adler32::new();
                sum.write(&found);
                packed.truncate(end);
                packed.extend_from_slice(&sum.finish().to_be_bytes());
            }
        }
        let found = from_the_beginning(&bare(&packed, packing.chunk), 5000, limit);
        if let Ok((found, _)) = found {
            prop_assert_eq!(Ok(found), fdeflate::decompress_to_vec(&packed));
        }
    }
}

/// Codes of each length up to the longest, of literals and of distances.
#[test]
fn reads_the_longest_codes() {
    // A byte of half the frequency takes a bit more.
    let mut data = Vec::new();
    for (byte, count) in (0..17).map(|i| 1 << i).enumerate() {
        data.extend(std::iter::repeat_n(byte as u8 * 3, count));
    }
    let mut state = 1_u32;
    for i in (1..data.len()).rev() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        data.swap(i, state as usize % (i + 1));
    }
    for strategy in [0, 2] {
        let packing = Packing { level: 9, strategy, flushed: usize::MAX, chunk: 1000 };
        let bare = bare(&packed(&data, packing), packing.chunk);
        assert!(from_the_beginning(&bare, 4000, data.len()).expect("sound data").0 == data);
    }
}
