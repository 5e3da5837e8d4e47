/**
 * Draws the app's icons: a railway switch, one track that forks into three. Run it by hand after a
 * change (`node electron/icons/make.ts`); the images are committed. The page's own icon is
 * renderer/public/icon.svg.
 */
import { createCanvas, Path2D, type SKRSContext2D } from '@napi-rs/canvas';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The drawing's own unit: 32 to a side, as in the page's icon. */
const side = 32;
const branches = {
  straight: 'M5 16H27',
  up: 'M5 16h6c5 0 5-8 10-8h6',
  down: 'M5 16h6c5 0 5 8 10 8h6',
} as const;
const colors = { ground: ['#1b3358', '#0c182b'], blue: '#7db4ff', amber: '#ffb340' } as const;

/** @param margin around the square, in units */
function drawIcon(context: SKRSContext2D, margin: number): void {
  const size = side - 2 * margin;
  const ground = context.createLinearGradient(0, margin, 0, side - margin);
  ground.addColorStop(0, colors.ground[0]);
  ground.addColorStop(1, colors.ground[1]);
  context.fillStyle = ground;
  context.beginPath();
  context.roundRect(margin, margin, size, size, size * 0.22);
  context.fill();
  context.translate(margin, margin);
  context.scale(size / side, size / side);
  track(context, branches.down, colors.blue, 0.55);
  track(context, branches.up, colors.blue, 1);
  track(context, branches.straight, colors.amber, 1);
}

function track(context: SKRSContext2D, path: string, color: string, opacity: number): void {
  context.globalAlpha = opacity;
  context.strokeStyle = color;
  context.lineWidth = 2.6;
  context.lineCap = 'round';
  context.stroke(new Path2D(path));
}

/** Only the shape, in black: the system colours it. */
function drawTemplate(context: SKRSContext2D): void {
  context.translate(-side * 0.16, -side * 0.16);
  context.scale(1.32, 1.32);
  for (const path of Object.values(branches)) track(context, path, '#000000', 1);
}

function write(name: string, pixels: number, draw: (context: SKRSContext2D) => void): void {
  const canvas = createCanvas(pixels, pixels);
  const context = canvas.getContext('2d');
  context.scale(pixels / side, pixels / side);
  draw(context);
  writeFileSync(join(import.meta.dirname, name), canvas.toBuffer('image/png'));
}

write('icon.png', 1024, (context) => drawIcon(context, 2.4));
write('tray.png', 32, (context) => drawIcon(context, 0));
write('trayTemplate.png', 16, drawTemplate);
write('trayTemplate@2x.png', 32, drawTemplate);
