/** The process that `trainBpe.ts` starts: the library's `tokenizer.json` out, text files in. */
import { Worker } from 'node:worker_threads';
import { BPE, Tokenizer, byteLevelPreTokenizer } from 'tokenizers';

// Training blocks this thread for minutes. Another one ends the process when whoever asked for it is
// gone, which closes this end of its pipe: a cancelled import leaves nothing that computes.
const watch = `const { Socket } = require('node:net');
  new Socket({ fd: 0 }).on('close', () => process.kill(process.pid, 'SIGKILL')).resume();`;
new Worker(watch, { eval: true }).unref();

const [outputFile, ...textFiles] = process.argv.slice(2);
const tokenizer = new Tokenizer(BPE.empty());
tokenizer.setPreTokenizer(byteLevelPreTokenizer(false, true));
tokenizer.train(textFiles);
tokenizer.save(outputFile, false);
