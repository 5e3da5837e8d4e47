import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultBackend, precisionProblem } from './devices.ts';
import { backendNames, type DeviceReport, type GpuReport } from './records.ts';

const card: GpuReport = {
  name: 'card',
  driver: 'driver 1',
  software: false,
  f16: true,
  matrixUnits: [],
  bindingBytes: 2 ** 31,
  bufferBytes: 2 ** 31,
};
const reports = (gpu: GpuReport | null): DeviceReport[] =>
  backendNames.map((backend) => {
    const available = backend !== 'tensorflow' && (backend !== 'webgpu' || gpu !== null);
    return { backend, available, device: '', reason: '', gpu: backend === 'webgpu' ? gpu : null };
  });

test('a GPU is the default where there is a real one', () => {
  assert.equal(defaultBackend(reports(card)), 'webgpu');
  assert.equal(defaultBackend(reports({ ...card, software: true })), 'wasm');
  assert.equal(defaultBackend(reports(null)), 'wasm');
  assert.equal(defaultBackend([]), null);
});

test('half precision is for webgpu, on a GPU that has it', () => {
  assert.equal(precisionProblem('wasm', 'f32'), null);
  assert.match(precisionProblem('wasm', 'f16') ?? '', /needs the backend webgpu.*wasm computes/u);
  const [webgpu] = reports(card);
  assert.equal(precisionProblem('webgpu', 'f16', webgpu), null);
  const [plain] = reports({ ...card, f16: false });
  assert.match(precisionProblem('webgpu', 'f16', plain) ?? '', /^card has no half precision/u);
});
