import { start } from "../main";
import { Measures } from "../pages/Measures";

void start(Measures);
