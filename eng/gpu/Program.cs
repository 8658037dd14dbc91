using MLExtensions;
using MLExtensions.GpuCheck;
using MLExtensions.Tensors;
using TorchSharp;

// GpuCheck (contract | throughput) [--device cuda] [--short] [--against FILE]
var device = Value("--device") ?? "cuda";
if (args is not [("contract" or "throughput") and var command, ..])
{
    Console.Error.WriteLine("GpuCheck (contract | throughput) [--device cuda|cuda:n|cpu] [--short] [--against FILE]");
    return 2;
}
TorchRuntime.Initialize();
var isCuda = device != "cpu";
Console.WriteLine($"{Environment.Version} of .NET, libtorch by {Environment.GetEnvironmentVariable("LIBTORCH_DIR") ?? "the application"}, TorchSharp made for {torch.__version__}; CUDA {(TorchRuntime.IsCudaAvailable ? FormattableString.Invariant($"with {torch.cuda.device_count()} GPUs, cuDNN {(torch.cuda.is_cudnn_available() ? "yes" : "no")}") : "not available")}");
if (isCuda && !TorchRuntime.IsCudaAvailable)
{
    Console.Error.WriteLine("There is no GPU here, or this libtorch is not made for one. --device cpu tries the rest.");
    return 1;
}
// As programs find it, and as the other side has it.
using var threads = TorchThreads.Use(isCuda ? torch.get_num_threads() : 1);
return command == "contract" ? Contract.Check(device) : Throughput.Measure(device, isShort: args.Contains("--short"), Value("--against"));

string? Value(string name) => Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;
