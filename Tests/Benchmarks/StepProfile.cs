namespace MLExtensions.Benchmarks;
internal static class StepProfile { public static void Print(BenchmarkSettings settings) { } }
