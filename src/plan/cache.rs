//! The last plans of each thread: photos of one camera share their geometry, and computing weights
//! costs as much as the whole vertical pass of a small image.

use std::cell::RefCell;
use std::sync::Arc;

use super::Plan;
use crate::error::Result;
use crate::pixels::{Header, Layout};
use crate::simd::Level;
use crate::spec::Spec;

/// Plans kept per thread; a thread's own, so that no lock is held where a process forks.
const PLANS: usize = 8;
/// Weights grow with the sides; those of larger images are not kept. At most about 1 MB a plan.
const MAX_SIDES: usize = 1 << 14;

struct Entry {
    spec: Spec,
    level: Level,
    source: (usize, usize, Layout, usize),
    plan: Arc<Plan>,
}

thread_local! {
    /// The last one used comes last.
    static CACHE: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
}

/// The plan for an image of that header, made or remembered.
pub(crate) fn cached_plan(spec: &Spec, header: &Header, reduction: usize, level: Level) -> Result<Arc<Plan>> {
    let source = (header.width, header.height, header.layout, reduction);
    CACHE.with_borrow_mut(|cache| {
        let known = |entry: &Entry| entry.source == source && entry.level == level && entry.spec == *spec;
        if let Some(at) = cache.iter().rposition(known) {
            cache[at..].rotate_left(1);
            return Ok(cache[cache.len() - 1].plan.clone());
        }
        let plan = Arc::new(Plan::reduced(spec, header, reduction, level)?);
        if header.width + header.height <= MAX_SIDES {
            if cache.len() == PLANS {
                cache.remove(0);
            }
            cache.push(Entry { spec: spec.clone(), level, source, plan: plan.clone() });
        }
        Ok(plan)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_the_last_plans_and_tells_specifications_apart() {
        let header = |width| Header { width, height: 40, layout: Layout::L, palette: None };
        let get = |size, width| cached_plan(&Spec::openai(size), &header(width), 1, Level::Scalar).unwrap();
        let first = get(8, 50);
        assert!(Arc::ptr_eq(&first, &get(8, 50)));
        assert_eq!(get(9, 50).resized, (11, 9));
        for width in 60..60 + PLANS - 2 {
            get(8, width);
        }
        assert!(Arc::ptr_eq(&first, &get(8, 50)), "still among the last ones");
        for width in 80..80 + PLANS {
            get(8, width);
        }
        assert!(!Arc::ptr_eq(&first, &get(8, 50)), "pushed out");
        let large = get(8, MAX_SIDES);
        assert!(!Arc::ptr_eq(&large, &get(8, MAX_SIDES)), "too large to keep");
    }
}
