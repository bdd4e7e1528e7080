// SPDX-License-Identifier: PostgreSQL
//
// weir blockers: which transactions keep readers from what lies behind them.
#include "screen/listing.hpp"
#include "screen/text.hpp"
#include "shell/exit.hpp"
#include "verbs/verb.hpp"

namespace weir::command {

namespace {

struct blockers_verb {
    bool json = false;

    int operator()(command &all) const;
};

int blockers_verb::operator()(command &all) const {
    connection db = all.server.connect();
    if (json) {
        print_json_rows(db, "SELECT * FROM weir.blockers ORDER BY age DESC NULLS LAST, log");
        return done;
    }
    rows const r = db.query("SELECT log, coalesce(pid::text, gid), floor(extract(epoch FROM age) * 1000)::bigint,"
                            " usename, CASE WHEN gid IS NOT NULL THEN 'prepared' ELSE state END, query"
                            " FROM weir.blockers ORDER BY age DESC NULLS LAST, log");
    table t({{"LOG"}, {"PID", true}, {"AGE", true}, {"ROLE"}, {"STATE"}, {"QUERY"}});
    for (std::size_t i = 0; i < r.size(); i++)
        t.row({cell(r, i, 0), cell(r, i, 1), duration_cell(r, i, 2), cell(r, i, 3), cell(r, i, 4),
               cut(cell(r, i, 5), 60)});
    if (t.rows() > 0)
        print(t);
    return done;
}

} // namespace

void add_blockers(command &all) {
    auto o = std::make_shared<blockers_verb>();
    arguments verb(all.line, "blockers", "Show the open transactions that readers wait for", R"(weir blockers
weir blockers --json | jq -r '.pid // .gid')");
    verb.flag("-j,--json", o->json, "A JSON object for each");
    all.run_by(verb, o);
}

} // namespace weir::command
