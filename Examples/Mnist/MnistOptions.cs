using MLExtensions.Examples.Infrastructure;

namespace MLExtensions.Examples.Mnist;

/// <summary>Options that examples on MNIST have in common.</summary>
internal static class MnistOptions
{
    public static readonly ExampleOption Data = new("data", "DIR", "the folder of the four IDX files, gzipped or not");
    public static readonly ExampleOption Threads = new("threads", "N", "how many CPU threads to use (default: libtorch's choice)");
    public static readonly ExampleOption Seed = new("seed", "N", "the seed of everything random (default 1)", "1");
}
