//! The run lengths of indexed BMPs, with Pillow's reading where the format leaves it open: pixels that
//! are jumped over are index 0, and the end of a line fills up a line that was begun.

use crate::error::{Error, Result};
use crate::interrupt;

/// Decodes `count` indices of rows of `width`, in the file's order. `offset` is where `runs` begins in
/// the file: literals are padded to even places of the file.
pub(super) fn decode(
    runs: &[u8],
    offset: usize,
    width: usize,
    count: usize,
    nibbles: bool,
) -> Result<Vec<u8>> {
    let mut indices = Indices { data: Vec::new(), count };
    let mut at = 0_usize;
    let mut x = 0_usize;
    while indices.data.len() < count {
        if at.is_multiple_of(1 << 9) {
            interrupt::check()?;
        }
        let Some(&[length, value]) = runs.get(at..at + 2).and_then(|pair| pair.first_chunk()) else { break };
        at += 2;
        match (length, value) {
            // The end of the line.
            (0, 0) => {
                indices.zeros(indices.data.len().next_multiple_of(width) - indices.data.len())?;
                x = 0;
            }
            // The end of the picture.
            (0, 1) => break,
            // A jump to the right and up.
            (0, 2) => {
                let Some(&[right, up]) = runs.get(at..at + 2).and_then(|pair| pair.first_chunk()) else {
                    break;
                };
                at += 2;
                indices.zeros(usize::from(up).saturating_mul(width).saturating_add(right.into()))?;
                x = indices.data.len() % width;
            }
            // Literal indices.
            (0, literals) => {
                let wanted = usize::from(literals).min(count - indices.data.len());
                let len = if nibbles { wanted.div_ceil(2) } else { wanted };
                let Some(raw) = runs.get(at..at + len) else { break };
                at += len;
                if nibbles {
                    let pixels = raw.iter().flat_map(|byte| [byte >> 4, byte & 15]);
                    indices.extend(wanted, pixels)?;
                } else {
                    indices.extend(wanted, raw.iter().copied())?;
                }
                x += usize::from(literals);
                at += (offset + at) % 2;
            }
            // A run, cut at the end of its line.
            (length, value) => {
                let length = usize::from(length).min(width.saturating_sub(x));
                let pair = if nibbles { [value >> 4, value & 15] } else { [value; 2] };
                indices.extend(length, pair.into_iter().cycle())?;
                x += length;
            }
        }
    }
    let Indices { data, .. } = indices;
    if data.len() < count {
        return Err(Error::truncated("BMP", format_args!("{} of {count} pixels", data.len())));
    }
    Ok(data)
}

/// The indices so far: as many as the runs gave, so that a short file costs little memory.
struct Indices {
    data: Vec<u8>,
    count: usize,
}

impl Indices {
    /// Appends `more` values, or as many as there is room for.
    fn extend(&mut self, more: usize, values: impl Iterator<Item = u8>) -> Result<()> {
        let more = more.min(self.count - self.data.len());
        self.data.try_reserve(more).map_err(|_| Error::out_of_memory("a BMP", self.count as u64))?;
        self.data.extend(values.take(more));
        Ok(())
    }

    fn zeros(&mut self, more: usize) -> Result<()> {
        self.extend(more, std::iter::repeat(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_past_the_end_of_wide_rows_leaves_zeros() {
        let width = 1 << 25;
        let indices = decode(&[0, 2, 0, 128], 0, width, width, false).unwrap();
        assert!(indices.len() == width && indices.iter().all(|index| *index == 0));
    }
}
