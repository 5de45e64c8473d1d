-- The questions of docs/sql.md, and what else has a short answer. Worked out by hand from trace.ndjson.
.tables
SELECT build, build_name, tags, command, status, wall_ns / 1000000 AS wall_ms, spans, compiles, remote, local, invocations, cold_starts, workers, bytes_up, bytes_down, store_puts, store_gets FROM builds;
SELECT build_name, name, count, sum_ns / 1000000 AS sum_ms, self_ns / 1000000 AS self_ms, p50_ns / 1000000 AS p50, p95_ns / 1000000 AS p95, max_ns / 1000000 AS max FROM phases WHERE name IN ('llamacc', 'invoke', 'exec') ORDER BY 1 DESC, sum_ns DESC;
SELECT build_name, file, output, remote, reason, duration_ns / 1000000 AS ms, invoke_ns / 1000000 AS invoke, transit_ns / 1000000 AS transit, exec_ns / 1000000 AS exec, local_ns / 1000000 AS local, invocations, cold_start, worker_id, error
  FROM compiles ORDER BY start_ns;
-- What changed between two builds?
SELECT file, a.exec_ns / 1000000 AS before_ms, b.exec_ns / 1000000 AS after_ms
  FROM compiles a JOIN compiles b USING (file) WHERE a.build_name = 'before' AND b.build_name = 'after' ORDER BY file;
SELECT build, sum(uploaded_bytes) AS uploaded FROM spans WHERE name = 'sync' GROUP BY build;
SELECT worker_id, count(*) AS jobs, sum(exec_ns) / 1000000 AS exec_ms FROM compiles WHERE worker_id IS NOT NULL GROUP BY worker_id;
-- How many jobs ran at once?
SELECT s - min(s) OVER () AS second, sum(sum(change)) OVER (ORDER BY s) AS running
  FROM (SELECT (start_ns + 999999999) / 1000000000 AS s, 1 AS change FROM spans WHERE name = 'worker' AND build = 'b1'
        UNION ALL SELECT (end_ns + 999999999) / 1000000000, -1 FROM spans WHERE name = 'worker' AND build = 'b1')
  GROUP BY s;
SELECT value->>'from' / 1000000 AS from_ms, value->>'count' AS n FROM json_each((SELECT histogram(exec_ns) FROM compiles));
SELECT percentiles(exec_ns / 1000000, 0, 20, 50, 100) AS exec_ms FROM compiles;
SELECT build_name, second, cpu_share, jobs_remote, disk_busy_ns FROM machine;
SELECT substr('        ', 1, 2 * depth) || name AS span, path, duration_ns / 1000000 AS ms, self_ns / 1000000 AS self_ms
  FROM spans WHERE trace_id = (SELECT trace_id FROM compiles WHERE error IS NOT NULL) ORDER BY start_ns, depth;
SELECT c.name, count(*) AS n, sum(c.duration_ns) / 1000000 AS ms FROM spans p JOIN spans c ON c.parent = p.id
  WHERE p.name = 'llamacc' AND p.build = 'b2' GROUP BY c.name;
SELECT name, max_rss_bytes FROM spans WHERE max_rss_bytes > 50000600 ORDER BY 2
