//! An allocator that refuses: what an answer needs is asked for before it is handed out, in calls that may fail, so that
//! a till without memory gets the static answer and is not ended.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr::null_mut;

use super::*;

thread_local! {
    /// How many more requests of this thread are granted; `None` grants all.
    static GRANTED: Cell<Option<usize>> = const { Cell::new(None) };
}

struct Refusing;

impl Refusing {
    fn grants() -> bool {
        GRANTED.with(|granted| match granted.get() {
            // A test that fails says why.
            _ if std::thread::panicking() => true,
            None => true,
            Some(0) => false,
            Some(more) => {
                granted.set(Some(more - 1));
                true
            }
        })
    }
}

// SAFETY: every request is passed on to the system's allocator unchanged, or refused with a null pointer.
unsafe impl GlobalAlloc for Refusing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's own promises about the layout.
        if Refusing::grants() { unsafe { System.alloc(layout) } } else { null_mut() }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer is the system allocator's, as all are.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the pointer is the system allocator's, as all are.
        if Refusing::grants() { unsafe { System.realloc(pointer, layout, size) } } else { null_mut() }
    }
}

#[global_allocator]
static ALLOCATOR: Refusing = Refusing;

/// Runs with so many requests granted.
fn with_granted<T>(number: usize, run: impl FnOnce() -> T) -> T {
    GRANTED.with(|granted| granted.set(Some(number)));
    let out = run();
    GRANTED.with(|granted| granted.set(None));
    out
}

#[test]
fn an_answer_is_handed_out_whole_or_the_static_one_is() {
    for (granted, whole) in [(0, false), (1, false), (2, false), (3, true), (4, true)] {
        let answers = Answers::default();
        let text = [b'x'; 100];
        let pointer = with_granted(granted, || answers.hand_out(&text, Outcome::Succeeded, Some(7)));
        assert_eq!(!is_static(pointer), whole, "{granted}");
        assert_eq!(answers.outcome(pointer).is_some(), whole, "{granted}");
        if !whole {
            assert!(is(pointer, NO_MEMORY_UNKNOWN), "the sale may have been taken");
        }
    }
}

#[test]
fn freeing_an_answer_asks_for_no_memory() {
    let answers = Answers::default();
    let pointers: Vec<_> =
        (0..=Dead::MOST).map(|_| answers.hand_out(b"{}", Outcome::Declined, None)).collect();
    for pointer in &pointers {
        assert!(with_granted(0, || answers.free(*pointer)).is_some());
    }
    assert!(answers.is_dead(pointers[Dead::MOST]) && !answers.is_dead(pointers[0]));
    // Others were freed meanwhile: room for all that are kept is asked for with each answer.
    let pointer = answers.hand_out(b"{}", Outcome::Declined, None);
    let mut buffer = [0; 3];
    let taken = with_granted(0, || answers.take(pointer, &mut buffer));
    assert!(matches!(taken, Taken::Copied(2, _)) && buffer == *b"{}\0");
}

#[test]
fn the_static_answer_says_whether_something_may_have_been_taken() {
    for (outcome, may_have_acted) in [
        (Outcome::Succeeded, true),
        (Outcome::Unknown, true),
        (Outcome::Reversed, true),
        (Outcome::Declined, false),
        (Outcome::NotSent, false),
        (Outcome::Invalid, false),
        (Outcome::Conflict, false),
        (Outcome::Internal, false),
    ] {
        let pointer = Answers::no_memory(outcome);
        assert_eq!(is(pointer, NO_MEMORY_UNKNOWN), may_have_acted, "{outcome:?}");
        assert_eq!(is(pointer, NO_MEMORY), !may_have_acted, "{outcome:?}");
    }
    let answers = Answers::default();
    for text in [NO_MEMORY, NO_MEMORY_UNKNOWN] {
        let pointer: *mut c_char = text.as_ptr().cast_mut().cast();
        assert_eq!(answers.outcome(pointer), None);
        let short = answers.take(pointer, &mut [0; 8]);
        assert!(matches!(short, Taken::TooSmall(needed) if needed == text.len()));
        assert!(matches!(answers.free(pointer), Some(Freed { delivery: None })));
        assert!(!answers.is_dead(pointer), "it is never freed");
    }
}
