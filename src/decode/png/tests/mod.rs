//! The inflater here against another one, and two threads against one.

mod inflate;
mod threads;

use miniz_oxide::deflate::core::{
    CompressorOxide, TDEFLFlush, compress_to_output, create_comp_flags_from_zip_params,
};
use proptest::prelude::*;

use super::chunks::{Chunks, chunks};

/// Sides of a grey image, and how its data are made.
#[derive(Clone, Debug)]
struct Picture {
    width: usize,
    height: usize,
    /// Bits of noise in a byte.
    noise: u32,
    /// Bytes of which the next ones are repeats, and how often.
    repeats: (usize, u32),
    seed: u64,
}

/// How data are packed: zlib's level and strategy (of which 4 makes fixed codes alone), and how often blocks end early.
#[derive(Clone, Copy, Debug)]
struct Packing {
    level: i32,
    strategy: i32,
    flushed: usize,
    /// Bytes of a chunk.
    chunk: usize,
}

fn packings() -> impl Strategy<Value = Packing> {
    let flushed = prop_oneof![3 => Just(usize::MAX), 1 => 1000..100_000_usize];
    let chunk = prop_oneof![1..40_usize, 40..9000_usize, Just(1 << 16), Just(1 << 30)];
    (0..=9_i32, 0..=4_i32, flushed, chunk).prop_map(|(level, strategy, flushed, chunk)| Packing {
        level,
        strategy,
        flushed,
        chunk,
    })
}

fn pictures(width: std::ops::Range<usize>, height: std::ops::Range<usize>) -> impl Strategy<Value = Picture> {
    (width, height, 0..=8_u32, (1..40_000_usize, 0..=8_u32), any::<u64>())
        .prop_map(|(width, height, noise, repeats, seed)| Picture { width, height, noise, repeats, seed })
}

impl Picture {
    /// Its lines, each after the byte that names its filter.
    fn data(&self) -> Vec<u8> {
        let mut state = self.seed;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as u32
        };
        let mut data: Vec<u8> = Vec::with_capacity((self.width + 1) * self.height);
        let len = (self.width + 1) * self.height;
        while data.len() < len {
            if random() % 9 < self.repeats.1 && data.len() >= self.repeats.0 {
                let from = data.len() - 1 - random() as usize % self.repeats.0;
                for i in from..from + 3 + random() as usize % 60 {
                    data.push(data[i]);
                }
            } else {
                data.push((random() & ((1 << self.noise) - 1)) as u8);
            }
        }
        data.truncate(len);
        data.iter_mut().step_by(self.width + 1).for_each(|byte| *byte %= 5);
        data
    }

    /// A file of it with these chunks.
    fn file(&self, packed: &[u8], packing: Packing) -> Vec<u8> {
        let mut header = b"IHDR".to_vec();
        header.extend_from_slice(&(self.width as u32).to_be_bytes());
        header.extend_from_slice(&(self.height as u32).to_be_bytes());
        header.extend_from_slice(&[8, 0, 0, 0, 0]);
        let mut file = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
        file.extend_from_slice(&header);
        file.extend_from_slice(&crc32fast::hash(&header).to_be_bytes());
        file.extend_from_slice(&data_chunks(packed, packing.chunk));
        file.extend_from_slice(b"\0\0\0\0IEND\xae\x42\x60\x82");
        file
    }
}

/// Chunks of `len` bytes each.
fn data_chunks(packed: &[u8], len: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for body in packed.chunks(len) {
        out.extend_from_slice(&(body.len() as u32).to_be_bytes());
        out.extend_from_slice(b"IDAT");
        out.extend_from_slice(body);
        out.extend_from_slice(&[0; 4]);
    }
    out
}

/// The chunks alone, as of a file.
fn bare(packed: &[u8], len: usize) -> Vec<u8> {
    [&[0; 8], &data_chunks(packed, len)[..]].concat()
}

fn chunks_of(bare: &[u8]) -> Chunks<'_> {
    chunks(bare)
}

fn packed(data: &[u8], packing: Packing) -> Vec<u8> {
    let flags = create_comp_flags_from_zip_params(packing.level, 15, packing.strategy);
    let mut compressor = CompressorOxide::new(flags);
    let mut out = Vec::new();
    let mut parts = data.chunks(packing.flushed).peekable();
    while let Some(part) = parts.next() {
        let flush = match parts.peek() {
            None => TDEFLFlush::Finish,
            Some(next) if next[0] % 2 == 0 => TDEFLFlush::Sync,
            Some(_) => TDEFLFlush::Partial,
        };
        compress_to_output(&mut compressor, part, flush, |bytes| {
            out.extend_from_slice(bytes);
            true
        });
    }
    out
}

/// Writes a byte anywhere, or ends there.
fn damage(bytes: &mut Vec<u8>, at: prop::sample::Index, how: u16) {
    let at = at.index(bytes.len());
    match how {
        0..256 => bytes[at] = how as u8,
        256..264 => bytes[at] ^= 1 << (how - 256),
        _ => bytes.truncate(at.max(1)),
    }
}
