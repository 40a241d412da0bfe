// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// Processes and threads.
import { Grid } from './grid';
import { Panel } from './parts';
import type { Shown, Tab } from './tab';

const COLUMNS = ['pid', 'ppid', 'state', 'cpu', 'prio', 'nice', 'time', 'rss', 'uid', 'comm'];

function threads(at: Shown): boolean {
  return at.params.threads === '1';
}

function toggle(at: Shown): void {
  at.go({ threads: threads(at) ? undefined : '1' });
}

export const tasks: Tab = {
  name: 'tasks',
  title: 'Tasks',
  views: (params) => [params.threads === '1' ? 'threads' : 'tasks'],
  live: true,
  filters: true,
  keys: [{ key: 't', what: 'tasks: processes or threads', press: toggle }],
  Tools: (at) => (
    <button class="act" onClick={() => toggle(at)}>
      {threads(at) ? 'Show processes' : 'Show threads'} <kbd>t</kbd>
    </button>
  ),
  Body: (at) => {
    const [view, title] = threads(at) ? ['threads', 'Threads'] : ['tasks', 'Processes'];
    return (
      <div class="page tasks">
        <Panel guest={at.guest.id} view={view} title={title} class="fill">
          {(v) => (
            <Grid
              table={v.table('tasks')}
              label={title}
              columns={threads(at) ? ['tid', 'tgid', ...COLUMNS.slice(1)] : COLUMNS}
              sort={threads(at) ? 'tid' : 'pid'}
              filter={at.params.filter}
            />
          )}
        </Panel>
      </div>
    );
  },
};
