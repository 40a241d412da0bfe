// SPDX-License-Identifier: MIT
// Copyright the oscope authors
// Devices: registers by how often they are used, single accesses; interrupt controllers and timers
// as they are now; lines through serial ports.
import { Grid } from './grid';
import { Panel } from './parts';
import type { Params } from './place';
import { store } from './store';
import type { Shown, Tab } from './tab';

const PARTS: [part: string, title: string][] = [
  ['registers', 'Registers'],
  ['controllers', 'Controllers'],
  ['serial', 'Serial ports'],
];

/** Which of them a machine has differs: asked for by its architecture, and said if there is none. */
const STATES = ['plic', 'aclint', 'apic'];

function partOf(params: Params): string {
  return PARTS.find(([part]) => part === params.part)?.[0] ?? 'registers';
}

function next(at: Shown): void {
  const shown = PARTS.filter(([part]) => part !== 'serial' || store.consoles);
  const i = shown.findIndex(([part]) => part === partOf(at.params));
  at.go({ part: shown[(i + 1) % shown.length][0], device: undefined });
}

function Registers(at: Shown) {
  const { guest: { id: guest }, params: { filter, device } } = at;
  return (
    <div class="page devices">
      <Panel guest={guest} view="mmio" title="Devices" quiet class="causes fill">
        {(view) => {
          const t = view.table('devices');
          return (
            <Grid
              table={t}
              label="Devices"
              columns={['device', 'base', 'reads', 'writes', 'outside', 'registers', 'rate', 'share']}
              sort="-rate"
              chosen={t?.list().find((row) => t.text(row, 'device') === device)?.[0]}
              choose={(row) => at.go({ device: t!.text(row, 'device') === device ? undefined : t!.text(row, 'device') })}
            />
          );
        }}
      </Panel>
      <Panel guest={guest} view="mmio" title={device ? `Registers of ${device}` : 'Registers'} quiet class="fill">
        {(view) => {
          const t = view.table('registers');
          return (
            <Grid
              table={t}
              label="Registers"
              columns={['device', 'register', 'access', 'size', 'count', 'rate', 'value', 'address', 'offset', 'cpu']}
              sort="-count"
              filter={filter}
              keep={t && device ? (row) => t.text(row, 'device') === device : undefined}
            />
          );
        }}
      </Panel>
      <Panel guest={guest} view="mmio" title="The last accesses" class="fill">
        {(view) => {
          const t = view.table('accesses');
          return (
            <Grid
              table={t}
              label="Accesses"
              columns={['time', 'cpu', 'device', 'register', 'access', 'size', 'value', 'address']}
              sort="-time"
              filter={filter}
              keep={t && device ? (row) => t.text(row, 'device') === device : undefined}
            />
          );
        }}
      </Panel>
    </div>
  );
}

function Controllers({ guest }: Shown) {
  const id = guest.id;
  const has = (name: string) => {
    const t = store.view(id, 'devices')?.table('devices');
    return t?.list().some((row) => t.text(row, 'view') === name) ?? false;
  };
  if (guest.kind === 'recording') return <p class="missing">A recording has no state of devices.</p>;
  return (
    <div class="page devices controllers">
      {has('plic') && (
        <>
          <Panel guest={id} view="plic" title="PLIC: contexts" quiet class="fill">
            {(v) => <Grid table={v.table('contexts')} label="PLIC contexts" columns={['context', 'hart', 'mode', 'threshold', 'enabled', 'pending', 'sources']} />}
          </Panel>
          <Panel guest={id} view="plic" title="PLIC: sources" class="fill">
            {(v) => <Grid table={v.table('sources')} label="PLIC sources" columns={['source', 'name', 'priority', 'pending', 'contexts']} />}
          </Panel>
        </>
      )}
      {has('aclint') && (
        <>
          <Panel guest={id} view="aclint" title="ACLINT: clock and next deadline" quiet class="fill">
            {(v) => <Grid table={v.table('clock')} label="ACLINT clock" columns={['base', 'mtime', 'frequency', 'time', 'next_hart', 'next']} />}
          </Panel>
          <Panel guest={id} view="aclint" title="ACLINT: harts" class="fill">
            {(v) => <Grid table={v.table('harts')} label="ACLINT harts" columns={['hart', 'mtimecmp', 'timer', 'due', 'msip', 'pending', 'enabled']} />}
          </Panel>
        </>
      )}
      {has('apic') && (
        <>
          <Panel guest={id} view="apic" title="Local APICs" quiet class="fill">
            {(v) => (
              <Grid
                table={v.table('local')}
                label="Local APICs"
                columns={['cpu', 'enabled', 'tpr', 'ppr', 'spurious', 'serving', 'pending', 'timer', 'timer_vector', 'timer_masked', 'due']}
              />
            )}
          </Panel>
          <Panel guest={id} view="apic" title="Local vector tables" quiet class="fill">
            {(v) => <Grid table={v.table('lvt')} label="Local vector tables" columns={['cpu', 'name', 'vector', 'delivery', 'trigger', 'polarity', 'masked']} />}
          </Panel>
          <Panel guest={id} view="apic" title="I/O APIC: pins" class="fill wide">
            {(v) => (
              <Grid
                table={v.table('pins')}
                label="I/O APIC pins"
                columns={['ioapic', 'pin', 'pending', 'remote_irr', 'masked', 'vector', 'delivery', 'dest', 'dest_mode', 'trigger', 'polarity']}
              />
            )}
          </Panel>
        </>
      )}
      <Panel guest={id} view="devices" title="The machine's devices" class="fill wide">
        {(v) => <Grid table={v.table('devices')} as="machine" label="Machine" columns={['device', 'space', 'first', 'size', 'view']} />}
      </Panel>
    </div>
  );
}

function Serial({ guest: { id: guest }, params: { filter } }: Shown) {
  return (
    <div class="page devices serial">
      <Panel guest={guest} view="uart" title="Serial ports" quiet class="causes">
        {(v) => <Grid table={v.table('ports')} label="Serial ports" columns={['device', 'direction', 'bytes', 'lines', 'rate']} />}
      </Panel>
      <Panel guest={guest} view="uart" title="Lines, both ways" class="fill">
        {(v) => (
          <Grid
            table={v.table('lines')}
            label="Serial lines"
            columns={['time', 'device', 'direction', 'bytes', 'end', 'text']}
            sort="-time"
            filter={filter}
          />
        )}
      </Panel>
    </div>
  );
}

export const devices: Tab = {
  name: 'devices',
  title: 'Devices',
  views: (params) => {
    const part = partOf(params);
    return part === 'registers' ? ['mmio'] : part === 'serial' ? ['uart'] : ['devices', ...STATES];
  },
  filters: true,
  keys: [{ key: 'v', what: 'devices: registers, controllers, serial ports', press: next }],
  Tools: (at) => (
    <span class="exports" role="group" aria-label="What of the devices">
      {PARTS.filter(([part]) => part !== 'serial' || store.consoles).map(([part, title]) => (
        <button class="act" aria-pressed={partOf(at.params) === part} onClick={() => at.go({ part, device: undefined })}>
          {title}
        </button>
      ))}
      <kbd>v</kbd>
    </span>
  ),
  Body: (at) => {
    const part = partOf(at.params);
    return part === 'registers' ? <Registers {...at} /> : part === 'serial' ? <Serial {...at} /> : <Controllers {...at} />;
  },
};
