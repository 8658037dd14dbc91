using static TorchSharp.torch;

namespace MLExtensions.Tensors;

/// <summary>Who frees a module's tensors.</summary>
internal static class ModuleMemory
{
    /// <summary>Takes a module's parameters and buffers out of the dispose scope that they were made in; the module frees them.</summary>
    public static void DetachFromDisposeScope(this nn.Module module)
    {
        foreach (var value in module.state_dict().Values)
            value.DetachFromDisposeScope();
    }
}
