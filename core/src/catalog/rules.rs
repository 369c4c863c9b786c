//! What may be done to an item, and where it leads: a pure function of where it is and what it is.
//!
//! The three spaces differ in how far a change reaches, which no app should have to know. A
//! computer's backup is read only here, because its next backup may undo a change without a word.

use super::{Action, Capability, Consequence, Kind, Space};

const fn may(action: Action, consequence: Consequence) -> Capability {
    Capability {
        action,
        consequence,
    }
}

const NOTHING: &[Capability] = &[];

const SYNC_ROOT: &[Capability] = &[may(Action::Add, Consequence::ReachesAllComputers)];

const SYNC_FOLDER: &[Capability] = &[
    may(Action::Add, Consequence::ReachesAllComputers),
    may(Action::Move, Consequence::ReachesAllComputers),
    may(Action::Trash, Consequence::DeletedOnAllComputers),
    may(Action::Link, Consequence::Public),
];

const SYNC_FILE: &[Capability] = &[
    may(Action::Read, Consequence::None),
    may(Action::Edit, Consequence::ReachesAllComputers),
    may(Action::Move, Consequence::ReachesAllComputers),
    may(Action::Trash, Consequence::DeletedOnAllComputers),
    may(Action::Link, Consequence::Public),
    may(Action::Versions, Consequence::None),
];

const ARCHIVE_ROOT: &[Capability] = &[may(Action::Add, Consequence::CloudOnly)];

const ARCHIVE_FOLDER: &[Capability] = &[
    may(Action::Add, Consequence::CloudOnly),
    may(Action::Move, Consequence::CloudOnly),
    may(Action::Trash, Consequence::MayBeLastCopy),
    may(Action::Link, Consequence::Public),
];

const ARCHIVE_FILE: &[Capability] = &[
    may(Action::Read, Consequence::None),
    may(Action::Edit, Consequence::CloudOnly),
    may(Action::Move, Consequence::CloudOnly),
    may(Action::Trash, Consequence::MayBeLastCopy),
    may(Action::Link, Consequence::Public),
    may(Action::Versions, Consequence::None),
];

const BACKUP_FOLDER: &[Capability] = &[may(Action::Link, Consequence::Public)];

const BACKUP_FILE: &[Capability] = &[
    may(Action::Read, Consequence::None),
    may(Action::Link, Consequence::Public),
    may(Action::Versions, Consequence::None),
];

const TRASHED_FROM_SYNC: &[Capability] = &[
    may(Action::Restore, Consequence::ReachesAllComputers),
    may(Action::Purge, Consequence::MayBeLastCopy),
];

const TRASHED_FROM_ARCHIVE: &[Capability] = &[
    may(Action::Restore, Consequence::CloudOnly),
    may(Action::Purge, Consequence::MayBeLastCopy),
];

const TRASHED_FROM_BACKUP: &[Capability] = &[
    may(Action::Restore, Consequence::NotCarriedBack),
    may(Action::Purge, Consequence::MayBeLastCopy),
];

/// `from` is the space that something in the trash was deleted from; `None` inside a trashed folder,
/// which is restored or purged as a whole.
pub(super) fn capabilities(space: Space, kind: Kind, from: Option<Space>) -> &'static [Capability] {
    match (space, kind) {
        (Space::Sync, Kind::Root) => SYNC_ROOT,
        (Space::Sync, Kind::Folder) => SYNC_FOLDER,
        (Space::Sync, Kind::File) => SYNC_FILE,
        (Space::Archive, Kind::Root) => ARCHIVE_ROOT,
        (Space::Archive, Kind::Folder) => ARCHIVE_FOLDER,
        (Space::Archive, Kind::File) => ARCHIVE_FILE,
        (Space::Backup, Kind::Folder) => BACKUP_FOLDER,
        (Space::Backup, Kind::File) => BACKUP_FILE,
        (Space::Trash, Kind::Folder | Kind::File) => match from {
            Some(Space::Sync) => TRASHED_FROM_SYNC,
            Some(Space::Archive) => TRASHED_FROM_ARCHIVE,
            Some(Space::Backup) => TRASHED_FROM_BACKUP,
            Some(Space::Trash) | None => NOTHING,
        },
        (Space::Backup | Space::Trash, Kind::Root) | (_, Kind::Computer) => NOTHING,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACES: [Option<Space>; 4] = [
        None,
        Some(Space::Sync),
        Some(Space::Backup),
        Some(Space::Archive),
    ];

    fn leads(space: Space, kind: Kind, action: Action) -> Option<Consequence> {
        capabilities(space, kind, None)
            .iter()
            .find(|capability| capability.action == action)
            .map(|capability| capability.consequence)
    }

    #[test]
    fn a_change_in_sync_reaches_all_computers() {
        for (kind, action) in [
            (Kind::Root, Action::Add),
            (Kind::Folder, Action::Add),
            (Kind::Folder, Action::Move),
            (Kind::File, Action::Edit),
            (Kind::File, Action::Move),
        ] {
            let consequence = leads(Space::Sync, kind, action);
            assert_eq!(consequence, Some(Consequence::ReachesAllComputers));
        }
    }

    #[test]
    fn a_delete_in_sync_deletes_on_all_computers() {
        for kind in [Kind::Folder, Kind::File] {
            let consequence = leads(Space::Sync, kind, Action::Trash);
            assert_eq!(consequence, Some(Consequence::DeletedOnAllComputers));
        }
    }

    #[test]
    fn a_change_in_archive_stays_in_the_cloud() {
        for (kind, action) in [
            (Kind::Root, Action::Add),
            (Kind::Folder, Action::Add),
            (Kind::Folder, Action::Move),
            (Kind::File, Action::Edit),
            (Kind::File, Action::Move),
        ] {
            let consequence = leads(Space::Archive, kind, action);
            assert_eq!(consequence, Some(Consequence::CloudOnly));
        }
    }

    #[test]
    fn a_delete_in_archive_may_remove_the_last_copy() {
        for kind in [Kind::Folder, Kind::File] {
            let consequence = leads(Space::Archive, kind, Action::Trash);
            assert_eq!(consequence, Some(Consequence::MayBeLastCopy));
        }
    }

    #[test]
    fn a_computers_backup_can_only_be_read_and_linked() {
        for kind in [Kind::Root, Kind::Computer, Kind::Folder, Kind::File] {
            for capability in capabilities(Space::Backup, kind, None) {
                assert!(matches!(
                    capability.action,
                    Action::Read | Action::Versions | Action::Link
                ));
            }
        }
        assert_eq!(
            leads(Space::Backup, Kind::File, Action::Read),
            Some(Consequence::None)
        );
    }

    #[test]
    fn the_root_of_a_space_cannot_be_moved_or_deleted() {
        for space in Space::ALL {
            for action in [Action::Move, Action::Trash, Action::Purge] {
                assert_eq!(leads(space, Kind::Root, action), None);
            }
        }
    }

    #[test]
    fn what_is_in_the_trash_can_only_be_restored_or_purged() {
        for kind in [Kind::Root, Kind::Folder, Kind::File] {
            for from in PLACES {
                for capability in capabilities(Space::Trash, kind, from) {
                    assert!(matches!(capability.action, Action::Restore | Action::Purge));
                }
            }
        }
    }

    #[test]
    fn restoring_reaches_as_far_as_the_space_it_goes_back_to() {
        let restore = |from| capabilities(Space::Trash, Kind::File, Some(from))[0].consequence;
        assert_eq!(restore(Space::Sync), Consequence::ReachesAllComputers);
        assert_eq!(restore(Space::Archive), Consequence::CloudOnly);
        assert_eq!(restore(Space::Backup), Consequence::NotCarriedBack);
        assert!(capabilities(Space::Trash, Kind::File, None).is_empty());
    }

    #[test]
    fn a_public_link_says_that_it_is_public() {
        for space in [Space::Sync, Space::Backup, Space::Archive] {
            for kind in [Kind::Folder, Kind::File] {
                let consequence = leads(space, kind, Action::Link);
                assert_eq!(consequence, Some(Consequence::Public));
            }
        }
    }

    #[test]
    fn only_files_can_be_read_and_have_versions() {
        for space in Space::ALL {
            for kind in [Kind::Root, Kind::Computer, Kind::Folder] {
                assert_eq!(leads(space, kind, Action::Read), None);
                assert_eq!(leads(space, kind, Action::Versions), None);
            }
        }
    }
}
