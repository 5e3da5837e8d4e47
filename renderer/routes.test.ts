import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linkTo, parseRoute, type Route } from './routes.ts';

test('every route survives the address bar', () => {
  const routes: Route[] = [
    { screen: 'runs' },
    { screen: 'run', id: 'r-1', tab: 'overview' },
    { screen: 'run', id: 'a/b ?#ü', tab: 'log' },
    { screen: 'new', from: null, data: null },
    { screen: 'new', from: 'tiny-dense', data: 'd-1&x=y' },
    { screen: 'data', id: null },
    { screen: 'data', id: 'd-1' },
    { screen: 'machine' },
  ];
  for (const route of routes) assert.deepEqual(parseRoute(linkTo(route)), route);
});

test('what is no address of ours leads to the runs, or to the tab that every run has', () => {
  for (const hash of ['', '#', '#/', '#/elsewhere', '#/runs/'])
    assert.deepEqual(parseRoute(hash), { screen: 'runs' });
  assert.deepEqual(parseRoute('#/runs/r-1/nothing'), { screen: 'run', id: 'r-1', tab: 'overview' });
});

test('an address that is not well encoded does not end the page', () => {
  assert.deepEqual(parseRoute('#/data/%E0%A4%A'), { screen: 'runs' });
});
