// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// One task: what it is, where it is in the kernel, its memory, and what it did.
import { taskId } from './address';
import { cell } from './format';
import { Grid } from './grid';
import { Layout, layoutArgs } from './layout';
import type { Table, View } from './model';
import { PageTables, pageTableArgs, pageTableViews } from './pagetable';
import { Panel } from './parts';
import type { Params } from './place';
import type { Args, Row } from './protocol';
import { store } from './store';
import type { Shown } from './tab';
import { TABS } from './tabs';

const FACTS = ['state', 'cpu', 'tgid', 'ppid', 'prio', 'nice', 'time', 'rss', 'uid', 'start', 'address', 'mm', 'stack'];

interface Part {
  name: string; // in the address; the first: none
  title: string;
  views: (params: Params) => string[];
  Body: (props: { at: Shown; task: number }) => preact.JSX.Element;
}

function Facts({ t, row }: { t: Table; row: Row }) {
  return (
    <dl class="task-facts">
      {FACTS.map((name) => {
        const c = t.column(name);
        const v = t.get(row, name);
        if (!c || v === null) return null;
        return (
          <div title={c.doc} key={name}>
            <dt>{name}</dt>
            <dd data-fact={name}>{cell(c, v)}</dd>
          </div>
        );
      })}
    </dl>
  );
}

function Threads({ at, view, task }: { at: Shown; view: View; task: number }) {
  const t = view.table('tasks');
  if (!t) return null;
  const me = t.list().find((row) => t.num(row, 'tid') === task);
  if (!me) return <p class="missing">There is no task {task} now: it has ended, or never was.</p>;
  return (
    <Grid
      table={t}
      as="threads"
      label="Threads of its process"
      columns={['tid', 'comm', 'state', 'cpu', 'prio', 'time']}
      filter={`tgid=${t.num(me, 'tgid')}`}
      link={(row) => at.link({ task: t.text(row, 'tid') })}
      chosen={me[0]}
    />
  );
}

function guessed(t?: Table): boolean {
  return t?.list().some((row) => t.get(row, 'guess') === true) ?? false;
}

function About({ at, task }: { at: Shown; task: number }) {
  const guest = at.guest.id;
  return (
    <>
      <Panel guest={guest} view="stack" title="Kernel stack" class="fill">
        {(view) => {
          const t = view.table('frames');
          const first = t?.list()[0];
          return (
            <>
              {t && first && (
                <p class="under" title={t.column('task_state')?.doc}>
                  {t.text(first, 'task_state')}
                </p>
              )}
              <Grid table={t} label="Kernel stack" columns={['frame', 'symbol', 'method', ...(guessed(t) ? ['guess'] : []), 'address', 'sp']} />
              {t?.list().map((row) => t.get(row, 'registers') && <p class="mono">{t.text(row, 'registers')}</p>)}
            </>
          );
        }}
      </Panel>
      <Panel guest={guest} view="threads" title="Threads of its process" class="fill">
        {(view) => <Threads at={at} view={view} task={task} />}
      </Panel>
    </>
  );
}

function Memory({ at, task }: { at: Shown; task: number }) {
  const guest = at.guest.id;
  const walked = (row: Row, t?: Table) => t && at.link({ task: String(task), part: 'pt', va: t.text(row, 'start'), half: undefined });
  return (
    <>
      <Panel guest={guest} view="vm" title="Address space" class="fill">
        {(view) => <Layout at={at} vmas={view.table('vmas')} />}
      </Panel>
      <Panel guest={guest} view="vm" title="Memory areas" class="fill" quiet>
        {(view) => {
          const t = view.table('vmas');
          return (
            <Grid
              table={t}
              label="Memory areas"
              columns={['start', 'end', 'perms', 'size', 'resident', 'path', 'anon', 'file', 'offset']}
              filter={at.params.filter}
              link={(row) => walked(row, t)}
            />
          );
        }}
      </Panel>
    </>
  );
}

function Scheduling({ at }: { at: Shown }) {
  const guest = at.guest.id;
  return (
    <>
      <Panel guest={guest} view="task_sched" title="Slices: when it ran" class="fill">
        {(view) => (
          <Grid
            table={view.table('slices')}
            label="Slices"
            columns={['since', 'duration', 'cpu', 'state', 'woken_by', 'woken_comm', 'latency']}
            sort="-since"
            filter={at.params.filter}
          />
        )}
      </Panel>
      <div class="stack">
        <Panel guest={guest} view="task_sched" title="Together" quiet>
          {(view) => (
            <Grid
              table={view.table('tasks')}
              as="run"
              label="Time on vCPUs"
              columns={['run', 'share', 'slices', 'wakeups', 'migrations', 'voluntary', 'involuntary', 'wait', 'latency_avg', 'latency_max']}
              filter={`tid=${taskOf(at.params)}`}
            />
          )}
        </Panel>
        <Panel guest={guest} view="task_sched" title="Who woke it, whom it woke" class="fill" quiet>
          {(view) => {
            const t = view.table('wakers');
            return (
              <Grid
                table={t}
                label="Wakers"
                columns={['waker_tid', 'waker_comm', 'tid', 'comm', 'count']}
                sort="-count"
                link={(row) => t && at.link({ task: t.text(row, 'waker_tid') })}
              />
            );
          }}
        </Panel>
      </div>
    </>
  );
}

function Calls({ at, task }: { at: Shown; task: number }) {
  const guest = at.guest.id;
  return (
    <>
      <Panel guest={guest} view="task_syscalls" title="Its system calls" class="fill">
        {(view) => (
          <Grid
            table={view.table('tasks')}
            as="calls"
            label="Its system calls"
            columns={['name', 'count', 'errors', 'unfinished', 'total', 'avg', 'max']}
            sort="-total"
            filter={`tid=${task} ${at.params.filter ?? ''}`}
          />
        )}
      </Panel>
      <Panel guest={guest} view="task_syscalls" title="The call it is in" quiet>
        {(view) => <Grid table={view.table('unfinished')} label="The call it is in" columns={['name', 'duration']} filter={`tid=${task}`} />}
      </Panel>
    </>
  );
}

function Faults({ at }: { at: Shown }) {
  const guest = at.guest.id;
  return (
    <>
      <Panel guest={guest} view="task_faults" title="Its page faults" class="wide fill">
        {(view) => {
          const t = view.table('faults');
          return (
            <Grid
              table={t}
              label="Its page faults"
              columns={['address', 'kind', 'access', 'from', 'duration', 'area', 'perms', 'ip', 'symbol', 'cpu', 'result_text']}
              filter={at.params.filter}
              link={(row) => t && at.link({ part: 'pt', va: t.text(row, 'address'), half: undefined })}
            />
          );
        }}
      </Panel>
      <Panel guest={guest} view="task_faults" title="By kind" class="wide" quiet>
        {(view) => <Grid table={view.table('kinds')} label="Faults by kind" columns={['kind', 'count', 'share', 'user', 'kernel', 'gup', 'total', 'avg', 'max']} />}
      </Panel>
    </>
  );
}

const PARTS: Part[] = [
  { name: '', title: 'Task', views: () => ['stack'], Body: About },
  { name: 'memory', title: 'Memory', views: () => ['vm', 'pt'], Body: Memory },
  { name: 'pt', title: 'Page table', views: pageTableViews, Body: ({ at, task }) => <PageTables at={at} pid={task} /> },
  { name: 'sched', title: 'Scheduling', views: () => ['task_sched'], Body: Scheduling },
  { name: 'calls', title: 'System calls', views: () => ['task_syscalls'], Body: Calls },
  { name: 'faults', title: 'Page faults', views: () => ['task_faults'], Body: Faults },
];

function partOf(params: Params): Part {
  return PARTS.find((p) => p.name === (params.part ?? '')) ?? PARTS[0];
}

/** Which task is shown, by thread id; undefined: all of them are. */
export function taskOf(params: Params): number | undefined {
  const id = taskId(params.task);
  return id !== undefined && id >= 0 ? id : undefined;
}

export function taskViews(params: Params): string[] {
  return ['threads', ...partOf(params).views(params)];
}

export function taskArgs(params: Params): Args {
  const task = taskOf(params)!;
  const part = partOf(params).name;
  const memory = part === 'pt' ? pageTableArgs(params) : part === 'memory' ? layoutArgs() : {};
  return { ...memory, pid: task, tid: task, tree: true };
}

function Name({ at, task }: { at: Shown; task: number }) {
  const t = store.view(at.guest.id, 'threads')?.table('tasks');
  const row = t?.list().find((r) => t.num(r, 'tid') === task);
  if (!t || !row) return null;
  const kind = t.get(row, 'kernel') ? 'kernel thread' : t.get(row, 'tgid') === t.get(row, 'tid') ? 'process' : 'thread';
  return (
    <>
      <b data-fact="comm" title={t.column('comm')?.doc}>
        {t.text(row, 'comm')}
      </b>
      <span class="dim">
        {kind}
        {t.get(row, 'running') ? ', on a vCPU' : ''}
      </span>
      {t.num(row, 'ppid') > 0 && <a class="ref" href={at.link({ task: t.text(row, 'ppid') })}>parent {t.text(row, 'ppid')}</a>}
      {TABS.some((tab) => tab.name === 'timeline') && (
        <a class="ref" href={at.link({ text: t.text(row, 'comm') }, 'timeline')}>on the timeline</a>
      )}
    </>
  );
}

export function TaskPage(at: Shown) {
  const task = taskOf(at.params)!;
  const part = partOf(at.params);
  return (
    <div class={`page task part-${part.name || 'about'}`}>
      <Panel guest={at.guest.id} view="threads" title={`Task ${task}`} class="wide" extra={<Name at={at} task={task} />}>
        {(view) => {
          const t = view.table('tasks');
          const row = t?.list().find((r) => t.num(r, 'tid') === task);
          if (!t || !row) return <p class="missing">There is no task {task} now: it has ended, or never was.</p>;
          return part === PARTS[0] ? <Facts t={t} row={row} /> : null;
        }}
      </Panel>
      <nav class="tabs parts wide" aria-label="Of this task">
        {PARTS.map((p) => (
          <a href={at.link({ part: p.name || undefined, va: undefined, half: undefined, pa: undefined })} aria-current={p === part ? 'page' : undefined}>
            {p.title}
          </a>
        ))}
      </nav>
      <part.Body at={at} task={task} />
    </div>
  );
}
