// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// Processes and threads as a tree, and one of them (task.tsx).
import { Grid } from './grid';
import { orderChange } from './order';
import { Panel } from './parts';
import type { Shown, Tab } from './tab';
import { TaskPage, taskArgs, taskOf, taskViews } from './task';

const COLUMNS = ['pid', 'comm', 'state', 'cpu', 'prio', 'nice', 'time', 'rss', 'uid', 'ppid'];
const THREADS = ['tid', 'comm', 'tgid', ...COLUMNS.slice(2)];

function threads(at: Shown): boolean {
  return at.params.threads === '1';
}

function toggle(at: Shown): void {
  at.go({ threads: threads(at) ? undefined : '1' });
}

function List({ at }: { at: Shown }) {
  const [view, title] = threads(at) ? ['threads', 'Threads'] : ['tasks', 'Processes'];
  const closed = at.params.closed?.split(' ') ?? [];
  const fold = (key: string) =>
    at.go({ closed: (closed.includes(key) ? closed.filter((k) => k !== key) : [...closed, key]).join(' ') });
  return (
    <div class="page tasks">
      <Panel guest={at.guest.id} view={view} title={title} class="fill">
        {(v) => {
          const t = v.table('tasks');
          return (
            <Grid
              table={t}
              label={title}
              columns={threads(at) ? THREADS : COLUMNS}
              filter={at.params.filter}
              tree={{ column: 'comm', closed, toggle: fold }}
              named="comm"
              link={(row) => t && at.link({ task: t.text(row, 'tid'), part: undefined })}
            />
          );
        }}
      </Panel>
    </div>
  );
}

export const tasks: Tab = {
  name: 'tasks',
  title: 'Tasks',
  views: (params) => (taskOf(params) === undefined ? [threadsView(params.threads)] : taskViews(params)),
  args: (params) => (taskOf(params) === undefined ? { tree: true } : taskArgs(params)),
  live: true,
  filters: true,
  keys: [
    { key: 't', what: 'tasks: processes or threads', press: toggle },
    { key: 'Escape', what: 'one task: back to all of them', press: (at) => at.go({ task: undefined }) },
  ],
  Tools: (at) =>
    taskOf(at.params) === undefined ? (
      <>
        <button class="act" onClick={() => toggle(at)}>
          {threads(at) ? 'Show processes' : 'Show threads'} <kbd>t</kbd>
        </button>
        {at.params['sort.tasks'] && (
          <button class="act" onClick={() => at.go(orderChange('tasks', '', ''))}>
            Show as a tree
          </button>
        )}
      </>
    ) : (
      <a class="act" href={at.link({ task: undefined })}>
        All tasks <kbd>Esc</kbd>
      </a>
    ),
  Body: (at) => (taskOf(at.params) === undefined ? <List at={at} /> : <TaskPage {...at} />),
};

function threadsView(chosen?: string): string {
  return chosen === '1' ? 'threads' : 'tasks';
}
