//! Writes progressive files by any script of scans.

use super::writer::{AC, Bits, Picture, REFINEMENT, scan_header, size_of};

/// A scan: its components, its coefficients in coded order, and the bits before and after it.
#[derive(Clone, Debug)]
pub struct ScanSpec {
    pub components: Vec<usize>,
    pub spectrum: (usize, usize),
    /// The lowest bit so far, 0 for none, and the one that this scan leaves.
    pub bits: (u8, u8),
}

/// The blocks that end without a new coefficient, and their correction bits, until they are written.
#[derive(Default)]
struct Ended {
    blocks: u32,
    corrections: Vec<bool>,
}

impl Ended {
    fn write(&mut self, bits: &mut Bits, table: usize) {
        if self.blocks > 0 {
            let size = self.blocks.ilog2();
            bits.symbol(table, (size << 4) as u8);
            bits.put(self.blocks & ((1 << size) - 1), size);
            self.blocks = 0;
        }
        self.corrections.drain(..).for_each(|bit| bits.put(bit.into(), 1));
    }
}

impl Picture {
    /// A progressive file; `blocks` has the coefficients of each component in coded order, row by row, filled up to
    /// whole MCUs.
    pub fn progressive(&self, script: &[ScanSpec], blocks: &[Vec<[i16; 64]>]) -> Vec<u8> {
        let mut out = self.header(0xc2);
        for scan in script {
            let is_refinement = scan.spectrum.0 > 0 && scan.bits.0 > 0;
            let spectrum = [scan.spectrum.0 as u8, scan.spectrum.1 as u8, scan.bits.0 << 4 | scan.bits.1];
            scan_header(&mut out, &scan.components, is_refinement.into(), spectrum);
            self.scan(scan, blocks).end_into(&mut out);
        }
        out.extend(b"\xff\xd9");
        out
    }

    fn scan(&self, scan: &ScanSpec, blocks: &[Vec<[i16; 64]>]) -> Bits {
        let mut bits = self.bits();
        let table = if scan.bits.0 > 0 { REFINEMENT } else { AC };
        let (mut last, mut ended) = ([0; 4], Ended::default());
        let (across, down) = self.mcus(&scan.components);
        for at in 0..across * down {
            if self.restarts > 0 && at > 0 && at % self.restarts == 0 {
                ended.write(&mut bits, table);
                bits.restart((at / self.restarts - 1) as u8);
                last = [0; 4];
            }
            for (component, x, y) in self.mcu(&scan.components, at % across, at / across) {
                let block = &blocks[component][y * self.blocks(component).1.0 + x];
                match (scan.spectrum.0, scan.bits) {
                    (0, (0, bit)) => {
                        let value = i32::from(block[0]) >> bit;
                        bits.dc(value - last[component]);
                        last[component] = value;
                    }
                    (0, (_, bit)) => bits.put((block[0] >> bit) as u32 & 1, 1),
                    (_, (0, bit)) => first(&mut bits, block, scan.spectrum, bit, &mut ended),
                    (_, (_, bit)) => refinement(&mut bits, block, scan.spectrum, bit, &mut ended),
                }
            }
        }
        ended.write(&mut bits, table);
        bits
    }
}

fn shifted(value: i16, bit: u8) -> i32 {
    let magnitude = i32::from(value).abs() >> bit;
    if value < 0 { -magnitude } else { magnitude }
}

fn first(bits: &mut Bits, block: &[i16; 64], spectrum: (usize, usize), bit: u8, ended: &mut Ended) {
    let mut run = 0;
    for &value in &block[spectrum.0..=spectrum.1] {
        let value = shifted(value, bit);
        if value == 0 {
            run += 1;
            continue;
        }
        ended.write(bits, AC);
        while run > 15 {
            bits.symbol(AC, 0xf0);
            run -= 16;
        }
        bits.symbol(AC, run << 4 | size_of(value) as u8);
        bits.number(value);
        run = 0;
    }
    if run > 0 {
        ended.blocks += 1;
        if ended.blocks == 0x7fff {
            ended.write(bits, AC);
        }
    }
}

fn refinement(bits: &mut Bits, block: &[i16; 64], spectrum: (usize, usize), bit: u8, ended: &mut Ended) {
    let band = spectrum.0..=spectrum.1;
    let last_new = band.clone().rfind(|&k| shifted(block[k], bit).abs() == 1).unwrap_or(0);
    let (mut run, mut corrections) = (0, Vec::new());
    for k in band {
        let value = shifted(block[k], bit);
        if value == 0 {
            run += 1;
            continue;
        }
        while run > 15 && k <= last_new {
            ended.write(bits, REFINEMENT);
            bits.symbol(REFINEMENT, 0xf0);
            corrections.drain(..).for_each(|bit: bool| bits.put(bit.into(), 1));
            run -= 16;
        }
        if value.abs() > 1 {
            corrections.push(value & 1 == 1);
            continue;
        }
        ended.write(bits, REFINEMENT);
        bits.symbol(REFINEMENT, run << 4 | 1);
        bits.put((value > 0).into(), 1);
        corrections.drain(..).for_each(|bit: bool| bits.put(bit.into(), 1));
        run = 0;
    }
    if run > 0 || !corrections.is_empty() {
        ended.blocks += 1;
        ended.corrections.append(&mut corrections);
        if ended.blocks == 0x7fff {
            ended.write(bits, REFINEMENT);
        }
    }
}
