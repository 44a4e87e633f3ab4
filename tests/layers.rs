//! The modules of every crate form layers: they import only downwards.
//!
//! At every level of the module tree of a crate, modules with the same parent must not import each other in
//! a cycle. An import of a re-exported name counts as an import from its origin, and the imports of all
//! modules below count, too.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The path of a module from the root of the crate. The path of the root is empty.
type Module = Vec<String>;

const CRATES: [&str; 15] = [
    ".",
    "bspm-args",
    "bspm-arrow",
    "bspm-cli",
    "bspm-conformance",
    "bspm-core",
    "bspm-cpu",
    "bspm-data",
    "bspm-events",
    "bspm-linalg",
    "bspm-python",
    "bspm-rules",
    "bspm-server",
    "bspm-torch",
    "examples/experiment",
];

#[test]
fn no_modules_import_each_other_in_a_ring() {
    for krate in CRATES {
        let source = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .join(krate)
            .join("src");
        let modules = read(&source);
        assert!(!modules.is_empty(), "{krate} has no modules");
        let rings = rings(&modules);
        assert!(rings.is_empty(), "{krate}: {}", rings.join("; "));
    }
}

#[test]
fn a_ring_is_found_at_every_level_and_through_a_re_export() {
    let module = |path: &str| path.split("::").map(String::from).collect::<Module>();
    let modules = BTreeMap::from([
        (
            module("a"),
            "pub(crate) mod b; pub(crate) mod c; pub use b::{Deep, Other as It};".into(),
        ),
        (module("a::b"), "use super::c::Name;".into()),
        (module("a::c"), "use super::{Deep, Unrelated};".into()),
        (
            module("d"),
            "fn f() -> crate::a::b::Deep {} // crate::e::Comment".into(),
        ),
        (module("e"), "use crate::{d::{self, X}, a::Y};".into()),
    ]);
    assert_eq!(rings(&modules), ["a::b -> a::c -> a::b"]);
    let mut modules = modules;
    modules.insert(module("a::c"), "use crate::e::Z;".into());
    assert_eq!(rings(&modules), ["a -> e -> a", "a -> e -> d -> a"]);
}

/// The source of each module, without its tests.
fn read(source: &Path) -> BTreeMap<Module, String> {
    let mut modules = BTreeMap::new();
    let mut folders = vec![(source.to_path_buf(), Module::new())];
    while let Some((folder, path)) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap().path();
            let name = entry.file_stem().unwrap().to_string_lossy().into_owned();
            let mut module = path.clone();
            if !["lib", "main"].contains(&name.as_str()) {
                module.push(name);
            }
            if entry.is_dir() {
                folders.push((entry, module));
            } else if entry.extension().is_some_and(|it| it == "rs") {
                let text = fs::read_to_string(&entry).unwrap();
                let code = text.split("#[cfg(test)]").next().unwrap_or_default();
                modules.insert(module, code.to_owned());
            }
        }
    }
    modules
}

/// Every cycle of modules with the same parent, as a chain of arrows.
fn rings(modules: &BTreeMap<Module, String>) -> Vec<String> {
    let exports: BTreeMap<&Module, BTreeMap<String, Module>> = modules
        .iter()
        .map(|(module, source)| (module, re_exports(module, source)))
        .collect();
    let mut imports: BTreeMap<Module, BTreeSet<Module>> = BTreeMap::new();
    for (from, source) in modules {
        for path in paths(&code_of(source)) {
            let Some(to) = resolve(&absolute(from, &path), modules, &exports) else {
                continue;
            };
            let shared = from
                .iter()
                .zip(&to)
                .take_while(|(left, right)| left == right)
                .count();
            if shared < from.len() && shared < to.len() {
                let (from, to) = (from[..=shared].to_vec(), to[..=shared].to_vec());
                imports.entry(from).or_default().insert(to);
            }
        }
    }
    let mut found = Vec::new();
    let mut done = BTreeSet::new();
    for module in imports.keys() {
        visit(module, &imports, &mut Vec::new(), &mut done, &mut found);
    }
    found
}

fn visit(
    module: &Module,
    imports: &BTreeMap<Module, BTreeSet<Module>>,
    chain: &mut Vec<Module>,
    done: &mut BTreeSet<Module>,
    found: &mut Vec<String>,
) {
    if let Some(start) = chain.iter().position(|it| it == module) {
        let ring = chain[start..]
            .iter()
            .chain([module])
            .map(|it| it.join("::"));
        found.push(ring.collect::<Vec<_>>().join(" -> "));
        return;
    }
    if done.contains(module) {
        return;
    }
    chain.push(module.clone());
    for next in imports.get(module).into_iter().flatten() {
        visit(next, imports, chain, done, found);
    }
    chain.pop();
    done.insert(module.clone());
}

/// The names that `pub use` statements of a module re-export, with their paths.
fn re_exports(module: &Module, source: &str) -> BTreeMap<String, Module> {
    let mut names = BTreeMap::new();
    for statement in code_of(source).split(';') {
        let Some((before, tree)) = statement.rsplit_once("use ") else {
            continue;
        };
        if !before.trim_end().ends_with("pub") && !before.trim_end().ends_with("pub(crate)") {
            continue;
        }
        for path in expand(tree) {
            let Some(name) = path.last().cloned() else {
                continue;
            };
            let is_relative = !["crate", "super", "self"].contains(&path[0].as_str());
            let mut target = if is_relative {
                module.clone()
            } else {
                Vec::new()
            };
            target.extend(if is_relative {
                path
            } else {
                absolute(module, &path)
            });
            names.insert(name, target);
        }
    }
    names
}

/// The module of an absolute path; re-exported names are followed.
fn resolve(
    path: &Module,
    modules: &BTreeMap<Module, String>,
    exports: &BTreeMap<&Module, BTreeMap<String, Module>>,
) -> Option<Module> {
    let mut at = path.len();
    while at > 0 && !modules.contains_key(&path[..at].to_vec()) {
        at -= 1;
    }
    let module = path[..at].to_vec();
    let name = path.get(at);
    match name.and_then(|name| exports.get(&module)?.get(name)) {
        Some(target) if target != path => resolve(target, modules, exports),
        _ => (at > 0).then_some(module),
    }
}

fn absolute(module: &Module, path: &[String]) -> Module {
    let mut base = module.clone();
    let mut rest = path;
    match path[0].as_str() {
        "crate" => {
            base.clear();
            rest = &path[1..];
        }
        "self" => rest = &path[1..],
        _ => {
            while rest.first().is_some_and(|it| it == "super") {
                base.pop();
                rest = &rest[1..];
            }
        }
    }
    base.extend(rest.iter().cloned());
    base
}

/// All paths that begin with `crate` or `super`, inside and outside of `use` statements.
fn paths(code: &str) -> Vec<Module> {
    let mut found = Vec::new();
    for (place, _) in code
        .match_indices("crate::")
        .chain(code.match_indices("super::"))
    {
        let is_start =
            !code[..place].ends_with(|it: char| it.is_alphanumeric() || "_:$".contains(it));
        if is_start {
            let rest = &code[place..];
            let end = rest.find([';', '(', ')', '<', '>', '=', '!', '&', '.', '\'']);
            found.extend(expand(&rest[..end.unwrap_or(rest.len())]));
        }
    }
    found
}

/// The paths of a `use` tree; the last name is the original name, not the alias.
fn expand(tree: &str) -> Vec<Module> {
    let tree = tree.trim();
    if let Some((prefix, group)) = tree.split_once("::{") {
        let mut depth = 1;
        let mut parts = vec![String::new()];
        for letter in group.chars() {
            depth += i32::from(letter == '{') - i32::from(letter == '}');
            match letter {
                _ if depth == 0 => break,
                ',' if depth == 1 => parts.push(String::new()),
                _ => parts.last_mut().unwrap().push(letter),
            }
        }
        let prefix = names(prefix);
        return parts
            .iter()
            .filter(|part| !part.trim().is_empty())
            .flat_map(|part| expand(part))
            .map(|part| {
                let rest = part.into_iter().filter(|name| name != "self");
                prefix.iter().cloned().chain(rest).collect()
            })
            .collect();
    }
    vec![names(tree)]
}

fn names(path: &str) -> Module {
    let path = path
        .trim()
        .split([' ', ',', '{', '}', '\n'])
        .next()
        .unwrap_or_default();
    path.split("::")
        .filter(|it| !it.is_empty())
        .map(String::from)
        .collect()
}

/// Removes comments.
fn code_of(source: &str) -> String {
    source
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}
