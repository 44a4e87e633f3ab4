//! How much freed memory the allocator keeps.

/// Configures glibc's allocator to return freed blocks of 1 MiB or more to the system.
///
/// By default glibc keeps up to 64 MiB per thread, and all free memory below a block that is still
/// in use, so a fit followed by an evaluation takes twice the memory that it needs. Does nothing
/// with other allocators.
///
/// Call it first in `main`. A library should leave this to the program that uses it.
pub fn return_large_blocks() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        const MEBIBYTE: libc::c_int = 1 << 20;
        for setting in [libc::M_MMAP_THRESHOLD, libc::M_TRIM_THRESHOLD] {
            // SAFETY: takes two numbers, and holds the lock of the main arena while it writes a setting, which
            // is one word that allocations read.
            unsafe { libc::mallopt(setting, MEBIBYTE) };
        }
    }
}

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
mod tests {
    use std::fs;
    use std::hint::black_box;

    const BLOCK: usize = 3 << 20;

    fn resident_kilobytes() -> usize {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("RssAnon:"));
        let number = line.unwrap().split_whitespace().nth(1).unwrap();
        number.parse().unwrap()
    }

    /// Memory in kilobytes that stays resident after 16 of 32 alternating blocks are freed.
    fn kept() -> usize {
        let before = resident_kilobytes();
        let blocks: Vec<Vec<u8>> = (0..32).map(|_| black_box(vec![1; BLOCK])).collect();
        let in_use: Vec<Vec<u8>> = blocks.into_iter().step_by(2).collect();
        let kept = resident_kilobytes() - before;
        kept - black_box(in_use).len() * BLOCK / 1024
    }

    #[test]
    fn freed_blocks_go_back() {
        super::return_large_blocks();
        // By default a freed block makes the allocator keep later blocks of its size.
        drop(black_box(vec![1_u8; 2 * BLOCK]));
        assert!(kept() < 16 * BLOCK / 1024 / 2);
    }
}
