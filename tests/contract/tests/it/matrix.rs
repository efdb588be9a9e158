//! Role × RPC, as a file that a person reads: whoever widens a role sees it in the diff.

use std::{collections::BTreeMap, fmt::Write as _};

use steward_kit::auth::{PermissionTable, Reach, Roles};

use crate::golden::assert_golden;

/// XC-31
#[test]
fn the_role_and_rpc_matrix_is_the_one_reviewed() {
    let table = PermissionTable::whole_suite().expect("every RPC has a rule");
    let roles = Roles::built_in();
    let mut rows = BTreeMap::new();
    for (path, rule) in table.iter() {
        let allowed: Vec<String> = roles
            .iter()
            .filter(|(_, role)| role.permissions.contains(&rule.permission))
            .map(|(name, role)| match role.reach {
                Reach::Own => format!("{name}(own)"),
                Reach::Estate => name.to_owned(),
                Reach::All => format!("{name}(all)"),
            })
            .collect();
        rows.insert(path.to_owned(), (rule.permission.clone(), allowed));
    }
    let mut out = String::from(
        "# Who may call what: RPC, permission, roles. A role reaches the estates of its token unless it says (all) or (own).\n",
    );
    for (rpc, (permission, allowed)) in rows {
        writeln!(out, "{rpc}\n    {permission}: {}", if allowed.is_empty() { "nobody".to_owned() } else { allowed.join(" ") })
            .expect("a string");
        assert!(!allowed.is_empty(), "{rpc} can be called by nobody");
    }
    assert_golden("role_rpc_matrix.txt", &out);
}
