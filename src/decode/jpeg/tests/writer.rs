//! Writes JPEG files of any coefficients, by tables in which every code has the same length.

/// A component: its sampling factors and its quantisation table.
#[derive(Clone, Debug)]
pub struct Component {
    pub factors: (usize, usize),
    pub quantisation: [u16; 64],
}

/// A picture as coefficients.
#[derive(Clone, Debug)]
pub struct Picture {
    pub width: usize,
    pub height: usize,
    pub components: Vec<Component>,
    /// MCUs between restarts; 0 for none.
    pub restarts: usize,
    /// Bits that codes are longer by than they need to be.
    pub longer: usize,
    /// The colour transform that Adobe's segment names, if there is one.
    pub adobe: Option<u8>,
}

impl Picture {
    pub fn most_factors(&self) -> (usize, usize) {
        let most = |factor: fn(&Component) -> usize| self.components.iter().map(factor).max().unwrap();
        (most(|component| component.factors.0), most(|component| component.factors.1))
    }

    /// Columns and rows of a component's blocks, and the same filled up to whole MCUs.
    pub fn blocks(&self, component: usize) -> ((usize, usize), (usize, usize)) {
        let (most, factors) = (self.most_factors(), self.components[component].factors);
        let side = |side: usize, factor: usize, most: usize| {
            ((side * factor).div_ceil(8 * most), side.div_ceil(8 * most) * factor)
        };
        let (across, down) = (side(self.width, factors.0, most.0), side(self.height, factors.1, most.1));
        ((across.0, down.0), (across.1, down.1))
    }

    /// MCUs of a scan of these components.
    pub fn mcus(&self, components: &[usize]) -> (usize, usize) {
        match components {
            [one] => self.blocks(*one).0,
            _ => {
                let most = self.most_factors();
                (self.width.div_ceil(8 * most.0), self.height.div_ceil(8 * most.1))
            }
        }
    }

    /// The blocks of an MCU: component, column and row.
    pub fn mcu(&self, components: &[usize], x: usize, y: usize) -> Vec<(usize, usize, usize)> {
        if let [one] = components {
            return vec![(*one, x, y)];
        }
        let mut blocks = Vec::new();
        for &component in components {
            let (across, down) = self.components[component].factors;
            for row in 0..down {
                blocks.extend((0..across).map(|column| (component, x * across + column, y * down + row)));
            }
        }
        blocks
    }

    /// All that stands before the first scan.
    pub fn header(&self, frame: u8) -> Vec<u8> {
        let mut out = b"\xff\xd8".to_vec();
        if let Some(transform) = self.adobe {
            segment(&mut out, 0xee, &[b"Adobe\0d\0\0\0\0".as_slice(), &[transform]].concat());
        }
        for (i, component) in self.components.iter().enumerate() {
            let mut table = vec![0x10 | i as u8];
            for place in super::NATURAL {
                table.extend(component.quantisation[usize::from(place)].to_be_bytes());
            }
            segment(&mut out, 0xdb, &table);
        }
        let mut data = vec![8];
        data.extend((self.height as u16).to_be_bytes());
        data.extend((self.width as u16).to_be_bytes());
        data.push(self.components.len() as u8);
        for (i, component) in self.components.iter().enumerate() {
            data.extend([i as u8 + 1, (component.factors.0 << 4 | component.factors.1) as u8, i as u8]);
        }
        segment(&mut out, frame, &data);
        segment(&mut out, 0xdd, &(self.restarts as u16).to_be_bytes());
        for (table, symbols) in [(0x00, dc_symbols()), (0x10, ac_symbols()), (0x11, refinement_symbols())] {
            let mut counts = [0; 16];
            counts[self.code_bits(&symbols) as usize - 1] = symbols.len() as u8;
            segment(&mut out, 0xc4, &[&[table], counts.as_slice(), &symbols].concat());
        }
        out
    }

    /// The length of all codes of a table; none is all ones.
    fn code_bits(&self, symbols: &[u8]) -> u32 {
        (usize::BITS - symbols.len().leading_zeros()) + self.longer as u32
    }

    pub fn bits(&self) -> Bits {
        let tables = [dc_symbols(), ac_symbols(), refinement_symbols()];
        Bits { lengths: tables.each_ref().map(|symbols| self.code_bits(symbols)), tables, ..Bits::default() }
    }

    /// A sequential file of one scan; `block` gives the coefficients in coded order.
    pub fn sequential(&self, mut block: impl FnMut(usize, usize, usize) -> [i16; 64]) -> Vec<u8> {
        let mut out = self.header(0xc1);
        let all: Vec<usize> = (0..self.components.len()).collect();
        scan_header(&mut out, &all, 0, [0, 63, 0]);
        let mut bits = self.bits();
        let mut last = [0; 4];
        let (across, down) = self.mcus(&all);
        for at in 0..across * down {
            if self.restarts > 0 && at > 0 && at % self.restarts == 0 {
                bits.restart((at / self.restarts - 1) as u8);
                last = [0; 4];
            }
            for (component, x, y) in self.mcu(&all, at % across, at / across) {
                let block = block(component, x, y);
                bits.dc(i32::from(block[0]) - last[component]);
                last[component] = block[0].into();
                bits.ac(&block);
            }
        }
        bits.end_into(&mut out);
        out.extend(b"\xff\xd9");
        out
    }
}

fn dc_symbols() -> Vec<u8> {
    (0..12).collect()
}

/// Runs of no more than one bit, and runs of ends of blocks.
fn refinement_symbols() -> Vec<u8> {
    (0..=255).filter(|symbol| symbol & 15 <= 1).collect()
}

/// Every symbol of AC coefficients: runs and sizes, and in progressive files runs of ends of blocks.
fn ac_symbols() -> Vec<u8> {
    (0..=255).filter(|symbol| symbol & 15 <= 9 || symbol & 15 == 10 && symbol >> 4 == 0).collect()
}

pub fn segment(out: &mut Vec<u8>, marker: u8, data: &[u8]) {
    out.extend([0xff, marker]);
    out.extend((data.len() as u16 + 2).to_be_bytes());
    out.extend(data);
}

pub fn scan_header(out: &mut Vec<u8>, components: &[usize], table: u8, spectrum: [u8; 3]) {
    let mut data = vec![components.len() as u8];
    for &component in components {
        data.extend([component as u8 + 1, table]);
    }
    data.extend(spectrum);
    segment(out, 0xda, &data);
}

/// The bits of a scan.
#[derive(Default)]
pub struct Bits {
    out: Vec<u8>,
    bits: u64,
    count: u32,
    /// Symbols of DC, of AC and of refinements, and the lengths of their codes.
    tables: [Vec<u8>; 3],
    lengths: [u32; 3],
}

pub const DC: usize = 0;
pub const AC: usize = 1;
pub const REFINEMENT: usize = 2;

impl Bits {
    pub fn put(&mut self, value: u32, count: u32) {
        for i in (0..count).rev() {
            self.bits = self.bits << 1 | u64::from(value >> i & 1);
            self.count += 1;
            if self.count == 8 {
                self.out.push(self.bits as u8);
                if self.bits as u8 == 0xff {
                    self.out.push(0);
                }
                (self.bits, self.count) = (0, 0);
            }
        }
    }

    /// The bits of a number, whose size a code tells.
    pub fn number(&mut self, value: i32) {
        let size = size_of(value);
        self.put((if value < 0 { value - 1 } else { value }) as u32 & ((1 << size) - 1), size);
    }

    pub fn dc(&mut self, difference: i32) {
        self.symbol(DC, size_of(difference) as u8);
        self.number(difference);
    }

    pub fn symbol(&mut self, table: usize, symbol: u8) {
        let code = self.tables[table].iter().position(|&known| known == symbol).expect("a known symbol");
        self.put(code as u32, self.lengths[table]);
    }

    /// The coefficients of a block but for DC.
    pub fn ac(&mut self, block: &[i16; 64]) {
        let mut run = 0;
        for &value in &block[1..] {
            if value == 0 {
                run += 1;
                continue;
            }
            while run > 15 {
                self.symbol(AC, 0xf0);
                run -= 16;
            }
            self.symbol(AC, run << 4 | size_of(value.into()) as u8);
            self.number(value.into());
            run = 0;
        }
        if run > 0 {
            self.symbol(AC, 0);
        }
    }

    pub fn restart(&mut self, number: u8) {
        self.fill();
        self.out.extend([0xff, 0xd0 + number % 8]);
    }

    fn fill(&mut self) {
        while self.count > 0 {
            self.put(1, 1);
        }
    }

    pub fn end_into(mut self, out: &mut Vec<u8>) {
        self.fill();
        out.extend(self.out);
    }
}

pub fn size_of(value: i32) -> u32 {
    32 - value.unsigned_abs().leading_zeros()
}
