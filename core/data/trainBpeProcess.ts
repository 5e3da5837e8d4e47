/** The process that `trainBpe.ts` starts: the library's `tokenizer.json` out, text files in. */
import { BPE, Tokenizer, byteLevelPreTokenizer } from 'tokenizers';

const [outputFile, ...textFiles] = process.argv.slice(2);
const tokenizer = new Tokenizer(BPE.empty());
tokenizer.setPreTokenizer(byteLevelPreTokenizer(false, true));
tokenizer.train(textFiles);
tokenizer.save(outputFile, false);
