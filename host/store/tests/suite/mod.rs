//! What every store must do, whatever it is made of.
//!
//! `every_test!(name, place)` makes a module of tests, each with a store in a place of its own.
//! `place` is called for a new place, and what it gives is called to open the store there: with the
//! store that is open there if there is one, which is then closed first.

pub(crate) mod any_order;
pub(crate) mod appending;
pub(crate) mod census;
pub(crate) mod deadlines;
pub(crate) mod effects;
pub(crate) mod events;
pub(crate) mod forgetting;
pub(crate) mod reading;
mod sample;

pub(crate) use sample::{as_kept, effect, line, turn};

/// A module with one test for each thing a store must do.
macro_rules! every_test {
    ($backend:ident, $place:expr) => {
        mod $backend {
            use super::*;

            $crate::suite::every_test!(@in $place, appending:
                a_turn_is_taken_at_the_next_revision_only
                a_turn_computed_from_another_revision_changes_nothing
                the_same_input_twice_is_a_duplicate_and_changes_nothing
                a_lost_answer_can_be_told_from_a_lost_turn
                of_many_writers_at_one_revision_one_wins
            );
            $crate::suite::every_test!(@in $place, effects:
                effects_are_pending_in_the_order_asked_until_they_are_settled
                a_turn_settles_effects_of_earlier_ones_along_with_it
                a_turn_settles_what_is_done_by_its_commit
                settling_what_is_not_pending_is_no_error
                sessions_do_not_settle_each_others_effects
                unfinished_are_sessions_with_pending_effects_or_an_open_handoff
            );
            $crate::suite::every_test!(@in $place, deadlines:
                a_turn_replaces_the_deadlines_of_the_last_one
                what_is_due_comes_in_order_and_no_more_than_asked_for
                a_store_without_deadlines_has_nothing_due
            );
            $crate::suite::every_test!(@in $place, reading:
                an_unknown_session_has_nothing
                a_session_is_loaded_as_its_last_turn_left_it
                the_journal_is_read_from_a_revision_on
                sessions_are_kept_apart
                what_is_deep_and_what_is_exact_is_read_back
                what_was_null_or_was_not_there_is_read_back_as_it_was
            );
            $crate::suite::every_test!(@in $place, events:
                what_users_are_shown_is_read_by_position_a_page_at_a_time
                a_position_that_no_event_has_is_told_apart
                the_transcript_is_read_from_its_end
                of_a_forgotten_session_no_event_and_no_line_is_left
            );
            $crate::suite::every_test!(@in $place, forgetting:
                a_session_that_is_forgotten_is_as_if_it_had_never_been
                what_is_open_or_owes_something_is_not_forgotten
                what_may_be_forgotten_is_found_by_when_it_closed
            );
            $crate::suite::every_test!(@in $place, census:
                open_sessions_are_counted_by_the_version_they_are_pinned_to
                what_is_refused_or_forgotten_is_not_counted
            );

            #[test]
            fn whatever_is_done_in_whatever_order_it_is_as_if_kept_in_lists() {
                $crate::suite::any_order::as_if_kept_in_lists($place);
            }
        }
    };
    (@in $place:expr, $part:ident: $($test:ident)*) => {$(
        #[tokio::test]
        async fn $test() {
            $crate::suite::$part::$test(std::sync::Arc::new($place()(None))).await;
        }
    )*};
}

pub(crate) use every_test;
