//! Through PgBouncer in transaction mode, which gives each statement to another connection.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod cluster;

use std::thread;

use cluster::drafts::{Draft, open, owner, standing};
use cluster::pooler::Pooler;
use cluster::{Cluster, settings_at, soon};
use zvpos_core::journal::Guard;
use zvpos_core::journal::nodes::{Database, Write};
use zvpos_core::payment::{Entry, Stage};
use zvpos_journal_postgres::Settings;

#[test]
fn many_threads_share_the_few_connections_of_a_pooler() {
    let cluster = Cluster::start();
    let pooler = Pooler::before(&cluster, 3);
    let url = format!("postgres://zv@127.0.0.1:{}/zv", pooler.port);
    let settings = Settings { pool: 16, ..settings_at(&url, "pooled") };
    let database = open(&settings);
    let me = owner("n1");
    database.join(&me, soon()).unwrap();
    let write = |entry: &Entry, token| {
        let write = Write { entry, token, guard: Guard::Member, by: Some(&me) };
        assert!(database.write(&write, soon()).unwrap(), "{entry:?}");
    };
    thread::scope(|scope| {
        for thread in 0..16 {
            let (write, database, me) = (&write, &database, &me);
            scope.spawn(move || {
                for number in 0..25 {
                    let biz_id = format!("T{thread}-{number}");
                    let sale = |stage| Draft::new(&biz_id, stage).of(&biz_id, &[&biz_id]);
                    write(&sale(Stage::Sending).entry(), 1);
                    database.beat(me, thread * 25 + number + 1, soon()).unwrap().unwrap();
                    write(&sale(Stage::Succeeded).revision(2).entry(), 2);
                    let found = standing(database, &biz_id).unwrap();
                    assert_eq!((found.token, &found.earlier[..]), (2, &[1][..]));
                }
            });
        }
    });
    assert_eq!(database.node(&me, soon()).unwrap().unwrap().beat, 400);
    let person = cluster.admin_of("zv");
    assert_eq!(person.texts("SELECT count(*) FROM pooled.zv_entry"), ["400"]);
    let servers = person.texts("SELECT count(*) FROM pg_stat_activity WHERE usename = 'zv'");
    assert!(servers[0].parse::<usize>().unwrap() <= 3, "{servers:?}");
}
