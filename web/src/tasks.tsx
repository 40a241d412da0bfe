// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// Processes and threads.
import { Grid } from './grid';
import { Panel } from './parts';

const COLUMNS = ['pid', 'ppid', 'state', 'cpu', 'prio', 'nice', 'time', 'rss', 'uid', 'comm'];

export function Tasks({ guest, filter, threads }: { guest: string; filter: string; threads: boolean }) {
  return (
    <div class="page tasks">
      <Panel guest={guest} view={threads ? 'threads' : 'tasks'} title={threads ? 'Threads' : 'Processes'} class="fill">
        {(view) => (
          <Grid
            table={view.table('tasks')}
            label={threads ? 'Threads' : 'Processes'}
            columns={threads ? ['tid', 'tgid', ...COLUMNS.slice(1)] : COLUMNS}
            sort={threads ? 'tid' : 'pid'}
            filter={filter}
          />
        )}
      </Panel>
    </div>
  );
}
